"""What the MCP server promises."""

from tests.behaviours import Behaviour

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
    "mcp:run:in-order": Behaviour(
        "Over either transport and in every protocol a client gets texts and images in their order, and how "
        "it ended as data.",
        "models-and-hosts 5",
    ),
    "mcp:run:live": Behaviour(
        "Signs of life carry what the program prints while it runs.", "models-and-hosts 5: progress"
    ),
    "mcp:run:polled": Behaviour(
        "A call that has waited long enough leaves the code running; the next waits on and tells the rest.",
        "models-and-hosts 5: timeout bounds the reply, not the work",
    ),
    "mcp:run:afterwards": Behaviour(
        "What threads and tasks show after the end of their block is told with the next call, as that, once.",
        "README: what it promises",
    ),
    "mcp:arguments:null": Behaviour(
        "Null stands for an argument that is not there.", "clients that send all arguments that a tool has"
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
}
