"""What the MCP server promises."""

from tests.behaviours import Behaviour

SCOPES = "docs/hosts/mcp.md, what a client may do"
FILES = "issue: files of MCP clients"
APPS = "MCP Apps, extension of 2026-01-26"

BEHAVIOURS = {
    "mcp:sessions:kernels": Behaviour(
        "The client of this user's own is told which notebooks run on their Jupyter servers, and can attach "
        "to one; other clients are told of none.",
        "servers and kernels: discovery",
    ),
    "mcp:run:images": Behaviour(
        "A client gets images that every model takes, by what their bytes are, and a line for the rest.",
        "models-and-hosts 5",
    ),
    "mcp:run:packages": Behaviour(
        "Where code lacks a package, a client reads which setting installs it; no hint says to run pip.",
        "how people work with notebooks",
    ),
    "mcp:run:in-order": Behaviour(
        "Over either transport and in every protocol a client gets texts and images in their order, and how "
        "it ended as data.",
        "models-and-hosts 5",
    ),
    "mcp:run:live": Behaviour(
        "Signs of life carry what the program prints while it runs.", "models-and-hosts 5: progress"
    ),
    "mcp:run:waits": Behaviour(
        "Code that waits until there is room for its kernel is said to wait, and its time begins after that.",
        "fair use of one machine",
    ),
    "mcp:run:starts": Behaviour(
        "Code whose kernel is still starting is said to wait for that, and its time begins after it.",
        "fair use of one machine",
    ),
    "mcp:run:polled": Behaviour(
        "A call that has waited long enough leaves the code running; the next waits on and tells the rest.",
        "models-and-hosts 5: timeout bounds the reply, not the work",
    ),
    "mcp:run:ended-untold": Behaviour(
        "The end of a block that outlived its call is told with the next call, before its own result, once.",
        "README: what it promises",
    ),
    "mcp:run:afterwards": Behaviour(
        "What threads and tasks show after the end of their block is told with the next call, as that, once.",
        "README: what it promises",
    ),
    "mcp:arguments:null": Behaviour(
        "Null stands for an argument that is not there.", "clients that send all arguments that a tool has"
    ),
    "mcp:arguments:unfit": Behaviour(
        "Arguments that are missing or of another type are told in one sentence, with those a tool takes.",
        "a newcomer: a page of pydantic's, with a link",
    ),
    "mcp:arguments:unknown": Behaviour(
        "An argument that a tool does not have is refused, with the arguments that it has.",
        "names that models invent",
    ),
    "mcp:run:fenced": Behaviour(
        "Code that is one fence and nothing else is run, and asked about, without the fence.",
        "models that write Markdown for a tool",
    ),
    "mcp:run:busy": Behaviour("Code is not queued behind code that runs.", "kernel facts: cells"),
    "mcp:run:bounded": Behaviour(
        "An output that is too long for a model is an excerpt, with a resource that holds the whole.",
        "models-and-hosts 5: bundle",
    ),
    "mcp:run:written": Behaviour("What runs is written down.", "design, decision 3"),
    "mcp:cancel:interrupts": Behaviour(
        "A call that the client takes back is interrupted in the kernel.", "models-and-hosts 5"
    ),
    "mcp:interrupt": Behaviour("Code is interrupted, with its variables kept.", "models-and-hosts 5"),
    "mcp:reset": Behaviour("A session that is reset has lost its variables.", "models-and-hosts 5"),
    "mcp:input:answered": Behaviour(
        "A program that asks gets its answer by a call; a password is in nothing that is told.",
        "models-and-hosts 5: input(); R1",
    ),
    "mcp:approve:asked": Behaviour(
        "Where a person has to allow code, the client asks them; what they decline does not run.",
        "models-and-hosts 5: approval",
    ),
    "mcp:approve:no-face": Behaviour(
        "A client that can ask nobody is told what to set, and nothing runs.", "design, decision 7"
    ),
    "mcp:language": Behaviour(
        "The tool that runs code is called after the kernel's language.", "kernels other than Python's"
    ),
    "mcp:people:apart": Behaviour(
        "No call of one client reaches a session, an output or a connection of another, whatever id it has.",
        "safety: T5; CVE-2026-52869",
    ),
    "mcp:http:guarded": Behaviour(
        "Without a key, for another Host or from another Origin nothing is served.",
        "safety: T4; CVE-2025-66414",
    ),
    "mcp:scopes:keys": Behaviour(
        "A key may have scopes: a tool without its scope is not listed, and is refused with a sentence; keys "
        "of one user share their sessions.",
        SCOPES,
    ),
    "mcp:scopes:tokens": Behaviour(
        "Where an issuer is set, the server is an OAuth resource server: official clients find the issuer, "
        "and what a token does not allow is refused with the scope that would.",
        SCOPES,
    ),
    "mcp:scopes:verified": Behaviour(
        "A token counts only if the issuer has signed it, for this server, and not over; it is never kept.",
        SCOPES,
    ),
    "mcp:start:refused": Behaviour(
        "What must not be opened is refused at the start, in a sentence that says what to set.",
        "design, decision 7",
    ),
    "mcp:end:quietly": Behaviour(
        "A server that ends while code runs, at a signal or when its client leaves, interrupts the code, "
        "ends its kernel and says nothing.",
        "models-and-hosts 5",
    ),
    "mcp:run:fault": Behaviour(
        "A call whose cell fails by a fault of ours is answered, and says so.", "design, decision 4"
    ),
    "mcp:end:stdio": Behaviour(
        "The kernels of a client that started us end with it, on a server, too.", "models-and-hosts 5"
    ),
    "mcp:files:story": Behaviour(
        "A table that a client sends is drawn and cleaned, and what was made is linked to, listed and read.",
        FILES,
    ),
    "mcp:files:pieces": Behaviour(
        "A large file is sent in several calls, and is there after the last.", FILES
    ),
    "mcp:files:parts": Behaviour(
        "A file is read in parts, as text where it is text; no character is cut, none is lost.", FILES
    ),
    "mcp:files:refused": Behaviour(
        "What cannot be sent or read is told in a sentence, overwrites nothing and leaves nothing behind.",
        FILES,
    ),
    "mcp:files:apart": Behaviour("Nobody reads the files of another key.", FILES),
    "mcp:files:described": Behaviour("Clients are told what each tool does to files.", FILES),
    "mcp:variables": Behaviour(
        "A tool lists a session's variables; it runs no code, and also answers while code runs.",
        "questions:busy",
    ),
    "mcp:access:asked": Behaviour(
        "The user of a client that can ask is asked for what the sandbox refused, and it holds from then on.",
        "issue: files of MCP clients",
    ),
    "mcp:access:meant": Behaviour("Only what the user was asked is allowed.", "safety"),
    "mcp:access:nobody": Behaviour("Where nobody can be asked, the setting is named.", "docs/safety.md"),
    "mcp:apps:live": Behaviour(
        "A host of MCP Apps shows what code makes live: charts are drawn, sliders reach the kernel, and "
        "code that runs on is watched, under the strictest policy of the extension; of a block that is gone "
        "the page shows what the call returned.",
        APPS,
    ),
    "mcp:apps:unseen": Behaviour(
        "A client that does not declare the extension is told nothing of it, and gets the same results.", APPS
    ),
    "mcp:tools:servers": Behaviour(
        "Code calls the tools of configured servers, where the setting says that nobody is asked.",
        "the setting tools_approve",
    ),
    "mcp:apps:hostile": Behaviour(
        "No output reaches the host, its tools or any server, whatever policy the host has.", "safety: T1"
    ),
    "mcp:apps:apart": Behaviour("No page reaches a line or a block of another key.", "safety: T5"),
    "mcp:apps:small": Behaviour(
        "A host gets a small page for each result; programs that draw come when something needs them.", APPS
    ),
    "mcp:apps:lines": Behaviour(
        "A page's line gives what there is at once, holds a page that reads nothing to a bound, and ends "
        "with its page.",
        APPS,
    ),
}
