"""What the project as a whole promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "text:file-sizes": Behaviour("The size of a file is told in the unit that reads best.", "docs/files.md"),
    "languages:named": Behaviour(
        "A kernel's language is known however its spec or the kernel spells it.", "kernel specs: R, C++17, sh"
    ),
    "languages:unknown": Behaviour(
        "A language that we do not know is taken as its kernel names it.", "any kernel"
    ),
    "languages:fences": Behaviour(
        "A block runs under every name that models use for its language, and no other.", "R Markdown: {r}"
    ),
    "languages:others": Behaviour(
        "In a conversation in another language than Python, blocks of a third one are noticed.",
        "a model waits for a result that will not come",
    ),
    "languages:table": Behaviour("Each language that we know is found, taught and coloured.", "Pygments"),
    "languages:lesson": Behaviour(
        "A model is taught the language of its kernel, unless a person has written one.",
        "small models",
    ),
    "project:layers:imports": Behaviour(
        "A module imports only what its layer allows, and pure modules import no effect.",
        "docs/architecture.md",
    ),
    "project:layers:every-module": Behaviour(
        "Every module stands in the plan, and the plan names nothing that is not there.",
        "docs/architecture.md",
    ),
    "project:layers:no-circles": Behaviour(
        "Neither the modules nor the folders of the package import each other in a circle.",
        "docs/architecture.md",
    ),
    "project:size": Behaviour(
        "No folder has more than a dozen modules, no module more than 400 lines, no class more than 300.",
        "docs/architecture.md",
    ),
    "project:layers:third-party": Behaviour(
        "A package uses only the libraries that the plan gives it.", "docs/architecture.md"
    ),
    "project:manifest:both-ways": Behaviour(
        "Each behaviour in the manifest has a test, and each test names a behaviour of the manifest.",
        "CONTRIBUTING",
    ),
    "json:read:as-json": Behaviour(
        "JSON of others is read as the library reads it, a byte order mark and what is no number aside.",
        "RFC 8259",
    ),
    "json:depth:bounded": Behaviour(
        "JSON of others that is nested too deep, or is none, is refused in one way and one sentence.",
        "safety: hostile input",
    ),
    "json:depth:clipped": Behaviour(
        "Where nothing may be lost, only the levels below the bound are left out.", "safety: hostile input"
    ),
    "json:numbers:bounded": Behaviour(
        "A number of very many digits is refused in a sentence.", "safety: hostile input"
    ),
    "characters:whole": Behaviour(
        "Halves of characters are joined, and one without its other half is U+FFFD.", "Unicode 3.9"
    ),
    "characters:code": Behaviour("Code that runs has whole characters, as it is shown.", "Unicode 3.9"),
    "characters:cuts": Behaviour(
        "A text that comes in pieces, whatever they cut, is the text: of a reply, a thought, a call.",
        "Unicode 3.9",
    ),
    "process:secrets:forgotten": Behaviour(
        "Secrets leave the environment of the app, the proxy, the MCP server and `exec` once they are read, "
        "on Linux also what /proc shows of it.",
        "docs/safety.md",
    ),
    "process:memory:hidden": Behaviour(
        "On Linux other programs of the same user cannot read our memory; what we start is as any program.",
        "prctl(2)",
    ),
    "folders:private": Behaviour(
        "A folder that we make, and those above it that were missing, are their owner's alone.", "safety: T7"
    ),
    "cursor:settled": Behaviour(
        "Text that goes up to write over earlier lines leaves each as it was written last.", "ECMA-48, CUU"
    ),
    "images:type:bytes": Behaviour(
        "An image is of the type that its bytes say, whatever a program calls it.", "models-and-hosts 5"
    ),
    "images:unreadable:line": Behaviour(
        "What is no image, or is cut off, is told in one line that says what it claims and what it is.",
        "models-and-hosts 5",
    ),
    "images:models:accepted": Behaviour(
        "A model is shown an image as PNG or JPEG: upright, one frame, within its pixels and bytes.",
        "models-and-hosts 5",
    ),
    "images:models:none": Behaviour(
        "What cannot be decoded, or has too many pixels, is not shown to a model.", "safety: hostile input"
    ),
    "allowance:words:used-up": Behaviour(
        "A reply has its seconds and its tokens and no more, and says which were used up.", "decision 9"
    ),
    "allowance:limits:none": Behaviour("A limit of 0 is none.", "README, settings"),
    "allowance:time:person": Behaviour(
        "The time in which a person is asked does not count.", "README, settings"
    ),
    "command-line:help:complete": Behaviour(
        "The help of each command names every flag, variable and default.", "README, settings"
    ),
    "command-line:pipe:closed": Behaviour(
        "A command whose output nobody reads any more ends without a complaint.", "kernels | head"
    ),
    "command-line:ids:dash": Behaviour(
        "No id that is given here looks like a flag, and one of an earlier version is not taken for one.",
        "README, notebooks",
    ),
    "notebooks:export:language": Behaviour(
        "An exported notebook is in the language of its blocks; blocks in others are text there.",
        "nbformat: kernelspec, language_info",
    ),
    "notebooks:files:unrun": Behaviour(
        "A cell that had not run comes back as such, without a word below it; an empty one is none.",
        "real notebooks",
    ),
    "notebooks:files:markdown": Behaviour(
        "Headings, lists, tables and code with which a person's words begin are such in the notebook.",
        "CommonMark",
    ),
    "notebooks:files:corpus": Behaviour(
        "A notebook of any version and encoding comes back with its code, its outputs and its text.",
        "nbformat 3 to 4.5",
    ),
    "notebooks:files:round-trip": Behaviour(
        "Whatever code and outputs a notebook holds come back as they were.", "nothing vanishes"
    ),
    "notebooks:files:languages": Behaviour(
        "What is in another language is refused, or is text: it becomes no block.", "nothing untrue"
    ),
    "notebooks:files:attached": Behaviour(
        "Pictures that a text refers to go out attached to it, as they came.", "nbformat 4.5: attachments"
    ),
    "notebooks:files:halves": Behaviour(
        "A character whose halves stand in two lines of a text is whole.", "RFC 8259, 8.2"
    ),
    "notebooks:files:kept": Behaviour(
        "Raw cells, attached pictures and widgets are kept, or a sentence says what is not.",
        "nothing vanishes",
    ),
    "notebooks:files:numbers": Behaviour(
        "A count in a notebook beyond all numbers keeps nothing from coming in.", "nothing vanishes"
    ),
    "notebooks:files:refused": Behaviour(
        "An import that is not kept, or no notebook, is told in a sentence and a code.", "nothing untrue"
    ),
    "notebooks:export:current": Behaviour(
        "A notebook holds what is in the conversation, and nothing that was edited away.", "nothing untrue"
    ),
    "command-line:version": Behaviour("The command line tells its version.", "README"),
    "command-line:own-modules": Behaviour(
        "No file of the current folder is run in place of a module.", "safety: what code leaves behind"
    ),
    "command-line:script": Behaviour("`coderunner` is `python -m coderunner`.", "README"),
    "command-line:settings:shown": Behaviour(
        "`coderunner settings` prints every setting with its source, secrets masked.", "README, settings"
    ),
    "command-line:errors:sentence": Behaviour(
        "What keeps us from starting is one sentence on stderr, with exit code 2.", "CONTRIBUTING"
    ),
    "command-line:errors:harmless": Behaviour("An error says nothing that a terminal obeys.", "safety: T6"),
    "command-line:errors:extra": Behaviour(
        "A library that is missing is told with the command that installs it.", "behaviours: O1"
    ),
    "command-line:console:plain": Behaviour(
        "A console that lacks our signs gets others, not a traceback.", "README, Windows"
    ),
    "command-line:check:here": Behaviour("`coderunner check` tells each step as it is done.", "README"),
    "command-line:check:fault": Behaviour(
        "`coderunner check` says what is wrong and what mends it, with exit code 1.", "README"
    ),
    "command-line:check:json": Behaviour("`coderunner check --json` tells the same as JSON.", "README"),
    "compose:policy:kept": Behaviour(
        "The server of docker compose is closed in each way that its policy names.",
        "safety: compose checklist",
    ),
    "command-line:check:records": Behaviour(
        "Check tries the database that is set for records, and changes nothing in it.", "docs/postgresql.md"
    ),
    "compose:policy:offline": Behaviour(
        "The variant without a way out changes nothing but the network, and its relay is as closed.",
        "safety: compose checklist, a relay for no egress",
    ),
    "compose:container:works": Behaviour(
        "In the container that docker compose starts, cells run.", "README; safety: compose checklist"
    ),
    "compose:container:closed": Behaviour(
        "Code in the container sees and changes nothing of the machine, and strangers get nothing of it.",
        "safety, T1, T4",
    ),
    "compose:container:offline": Behaviour(
        "In the variant without a way out, code reaches neither the machine nor another network.",
        "safety, T1: egress off",
    ),
    "compose:policy:bites": Behaviour(
        "The policy notices each way of loosening the server.", "safety: compose"
    ),
    "compose:arguments:known": Behaviour(
        "The server knows every argument that it is started with.", "safety: compose"
    ),
    "compose:token:required": Behaviour("Without a token docker compose starts nothing.", "README, safety"),
    "compose:token:made": Behaviour(
        "make token writes a token that only its owner can read, and keeps the one that is there.", "README"
    ),
    "errors:tree:drawn": Behaviour(
        "The tree in the docstring of errors is the classes' own.", "CONTRIBUTING"
    ),
    "errors:tree:builtin": Behaviour(
        "An exception of ours is also the builtin that a caller expects.", "CONTRIBUTING"
    ),
    "errors:tree:caught": Behaviour("CodeRunnerError catches every exception of ours.", "CONTRIBUTING"),
    "errors:endpoint:status": Behaviour("An endpoint's failure carries its HTTP status.", "errors"),
    "notebooks:export:real": Behaviour(
        "An exported conversation is a valid notebook: messages as Markdown, cells with what they showed.",
        "anchors: 45",
    ),
    "notebooks:export:widgets": Behaviour(
        "Widgets go into a notebook and come back as they stood last.", "rich output"
    ),
    "notebooks:export:opens": Behaviour("Jupyter's own tools open it without a warning.", "anchors: 45"),
    "notebooks:export:named": Behaviour(
        "A conversation is meant by its id or its title; where several fit they are listed.", "README"
    ),
    "notebooks:export:pieces": Behaviour(
        "A reply of which a host keeps the text alone is taken apart by what ran in it.", "anchors: 45"
    ),
    "notebooks:export:tags": Behaviour(
        "Whatever was written can be read in the notebook, and comes back as it was.", "CommonMark 2.4"
    ),
    "notebooks:export:files": Behaviour(
        "A cell's metadata names the files that it made or changed.", "which file came of what"
    ),
    "notebooks:export:runs": Behaviour("What other doors ran can be exported, too.", "README"),
    "notebooks:export:missing": Behaviour(
        "Where the records lack what a block showed, its cell says so, and so does who exports.",
        "nothing vanishes",
    ),
    "notebooks:import:same": Behaviour(
        "What was exported is imported as it was, and nothing runs.", "README"
    ),
    "notebooks:import:foreign": Behaviour(
        "Any Python notebook can be imported, whatever its outputs hold.", "README"
    ),
    "notebooks:import:language": Behaviour(
        "A notebook of another language is imported with it: its blocks are in that language, also when it "
        "is exported again.",
        "kernels other than Python's",
    ),
    "notebooks:import:refused": Behaviour(
        "What is no notebook is told in a sentence, and leaves nothing behind.", "README"
    ),
    "notebooks:command:list": Behaviour(
        "`coderunner export` without an argument lists the conversations, the newest first.",
        "a newcomer: it wants an id or a title, and nothing told them",
    ),
    "notebooks:command:several": Behaviour(
        "`coderunner import` takes several notebooks, and names each that it cannot take.", "README"
    ),
    "notebooks:command:both-ways": Behaviour(
        "`coderunner export` and `coderunner import` do it, and overwrite nothing.", "README"
    ),
    "packaging:requirements:equal": Behaviour(
        "requirements.txt lists what pyproject.toml does.", "README, text-generation-webui"
    ),
    "packaging:requirements:light": Behaviour(
        "No requirement of ours names what the webui pins.", "README, text-generation-webui"
    ),
    "packaging:webui:intact": Behaviour(
        "Installing us into the webui's environment changes nothing that is there.",
        "README, text-generation-webui",
    ),
    "packaging:wheel:complete": Behaviour("The wheel holds every file that the package needs.", "README"),
    "packaging:version:told": Behaviour(
        "The package, the project and the changelog tell the same version.", "CHANGELOG"
    ),
    "packaging:browser:found": Behaviour("make test takes the browser that is there.", "README, development"),
    "packaging:browser:installed": Behaviour(
        "make test installs a browser by apt where it may, else Playwright's, or says how to go on.",
        "README, development",
    ),
    "packaging:make:python": Behaviour(
        "make finds a Python that will do, or says in one sentence what is missing.", "README"
    ),
    "readme:settings:table": Behaviour("The README's table of settings is that of the code.", "README"),
    "readme:commands:work": Behaviour("Every command, flag and variable in the README exists.", "README"),
    "readme:links:lead": Behaviour("What the README links to and draws is there.", "README"),
    "secret:printing:masked": Behaviour("A secret is masked wherever it is printed.", "safety: T7"),
    "secret:value:revealed": Behaviour("A secret reveals itself when asked, and only then.", "safety: T7"),
    "secret:value:equal": Behaviour("Secrets are equal when their values are.", "safety: T7"),
    "secret:keeping:refused": Behaviour("A secret cannot be kept by pickle or JSON.", "safety: T7"),
    "keys:owner:told-apart": Behaviour("Each key is somebody, and no other key is anybody.", "safety: T5"),
    "keys:named:several": Behaviour("Several keys can stand in one setting.", "issue: the proxy"),
    "keys:named:short": Behaviour("A key that can be guessed is refused.", "issue: the proxy"),
    "keys:own:empty": Behaviour("A file without a key that cannot be guessed opens nothing.", "safety: T5"),
    "keys:own:made-once": Behaviour(
        "A door without a key makes one at its first start, readable by its owner only.", "issue: the proxy"
    ),
    "settings:sources:order": Behaviour(
        "Flags come before environment variables, these before the file, this before the defaults.",
        "README, settings",
    ),
    "settings:sources:values-only": Behaviour(
        "Settings that are made in place take nothing from the environment.", "settings"
    ),
    "settings:errors:sentence": Behaviour(
        "A wrong setting is told in one sentence: which, from where, and what it may be.", "CONTRIBUTING"
    ),
    "settings:secrets:file": Behaviour("A secret can stand in a file.", "README, settings"),
    "settings:secrets:address": Behaviour("A secret does not stay in an address.", "safety: T7"),
    "settings:secrets:never-seen": Behaviour(
        "No message, traceback, log or dump of settings shows a secret.", "safety: T7"
    ),
    "settings:secrets:no-flag": Behaviour("No flag takes a secret, since `ps` shows flags.", "safety: T7"),
    "settings:endpoint:openai": Behaviour(
        "OPENAI_BASE_URL and OPENAI_API_KEY fill in, and the key goes nowhere but where they say.",
        "README, settings",
    ),
    "settings:endpoint:continuation": Behaviour(
        "The setting `continuation` offers every strategy there is.", "README, settings"
    ),
    "settings:endpoint:continuations": Behaviour(
        "A table says for models by name how their replies are continued.", "README, settings"
    ),
    "settings:approve:default": Behaviour(
        "Unless told otherwise, cells in a sandbox and on a server run, and others ask first.",
        "README, safety",
    ),
    "settings:server:folder": Behaviour(
        "The folder on a server lies within the server's own; another is refused in one sentence.",
        "docs/settings.md",
    ),
    "settings:files:places": Behaviour("Files lie where each system wants them.", "XDG base directories"),
    "settings:descriptions:complete": Behaviour("Every setting says what it is.", "README, settings"),
    "access:failure:logged": Behaviour(
        "A request that fails for a fault of ours is logged with its path, never with its query.",
        "nothing ends without a word",
    ),
    "project:closed-folders": Behaviour(
        "A folder that may not be entered, on the PATH for example, fails nothing.", "docs/reliability.md"
    ),
    "project:safety:no-same-origin": Behaviour(
        "No frame of ours is ever given the rights of the page around it.", "safety: peer advisories"
    ),
    "variables:words:changed": Behaviour(
        "Of a block the model is told which variables are new, have changed or are gone.", "a digest"
    ),
    "variables:words:bounded": Behaviour(
        "What is told of variables is bounded, and each has no line ends or invisible characters.", "T9"
    ),
    "variables:words:harmless": Behaviour(
        "No variable ends the model's turn or the host's reply.", "what a program says is untrusted"
    ),
    "variables:digest": Behaviour(
        "Where it is wanted, the model is told after a block which variables that has changed.",
        "variables_for_model",
    ),
    "variables:digest:off": Behaviour("Unasked, no model is told of variables.", "tokens are thrifty"),
    "variables:mentions:named": Behaviour(
        "A name after an @ in a message may be a variable's; addresses and code are none.", "notebook chats"
    ),
    "variables:mentions:told": Behaviour(
        "Of a variable that a message names, the model reads what it is, and a table's first rows; no kernel "
        "is started for that.",
        "notebook chats",
    ),
    "runner:reply:goes-on-with-the-result": Behaviour(
        "A block runs the moment it closes, its result is appended to the reply and the model goes on.",
        "README",
    ),
    "runner:reply:stream-closed-before-the-cell": Behaviour(
        "The model's stream is closed before its code runs: nothing is said after code that has not run.",
        "design, what flows",
    ),
    "runner:reply:state-kept": Behaviour(
        "Variables are kept from block to block and from turn to turn.", "README"
    ),
    "runner:reply:outputs-live": Behaviour("Outputs are shown while the cell still runs.", "README"),
    "runner:stop:execution": Behaviour(
        "Stop while code runs interrupts it, keeps what it showed and ends the reply.", "README"
    ),
    "runner:stop:block": Behaviour(
        "To stop one block lets the reply go on with what it showed, and the model reads who stopped it; the "
        "block that runs before it goes on.",
        "README",
    ),
    "runner:consent:edited": Behaviour(
        "Code that a person changes before it runs is what runs, what is recorded and what the model reads.",
        "decision 3",
    ),
    "diff:lines:both": Behaviour("A diff holds both texts, line by line; blank ends do not count.", "README"),
    "diff:folded:gaps": Behaviour("Of unchanged lines those far from a change are counted.", "README"),
    "diff:cost:bounded": Behaviour("No texts cost more to compare than their length allows.", "safety 3.3"),
    "runner:stop:generation": Behaviour("Stop while the model writes ends the reply where it is.", "README"),
    "runner:stop:silent-model": Behaviour("Stop is heard while the model is silent.", "README"),
    "runner:consent:off": Behaviour(
        "Where running code is turned off nobody is asked; person and model read that, and not that it was "
        "declined.",
        "decision 7",
    ),
    "runner:consent:declined": Behaviour(
        "Code that a person declines does not run, and the model is told.", "design, decision 7"
    ),
    "runner:consent:stopped": Behaviour(
        "Stop while a cell waits for consent is told as Stop, not as a refusal.", "design, decision 4"
    ),
    "runner:consent:waits": Behaviour("A cell waits for a person's consent.", "design, decision 7"),
    "runner:kernel:waits": Behaviour(
        "A cell that waits until there is room for its kernel says so, and that time is not its own.",
        "fair use of one machine",
    ),
    "runner:late:goes-on": Behaviour(
        "At its deadline a cell goes on; its result follows with the next block's.", "decision 5"
    ),
    "runner:late:at-once": Behaviour(
        "A cell that ends while its host reads of its deadline has its result in its own place, once.",
        "decision 5",
    ),
    "runner:late:next-message": Behaviour(
        "A late result that no block follows comes with the next message, once.", "decision 5"
    ),
    "runner:late:afterwards": Behaviour(
        "What threads and tasks show after the end of their block reaches the model once, as that: with the "
        "next block's result or the next message.",
        "README: what it promises",
    ),
    "runner:late:bounded": Behaviour(
        "Of many blocks whose threads go on, the latest are told, shortened, and the others counted.",
        "performance",
    ),
    "runner:reading:shared": Behaviour(
        "While a huge delta is read, whoever shares the event loop has their turn.", "performance"
    ),
    "runner:late:stopped": Behaviour(
        "Stop ends also the cells that go on beside the reply.", "decision 5; M5"
    ),
    "runner:late:left": Behaviour("A host that leaves ends them too.", "M6"),
    "runner:asking:answered": Behaviour("A program asks, and goes on with a person's answer.", "R10"),
    "runner:asking:nobody": Behaviour(
        "Where nobody can be asked, a program that asks fails in plain words.", "O14"
    ),
    "runner:asking:clock": Behaviour("Time in which a person is asked is no time of the cell.", "the looks"),
    "runner:asking:cancelled": Behaviour("Who will not answer ends the program; the reply goes on.", "R13"),
    "runner:asking:stopped": Behaviour("Stop takes the question back.", "R13"),
    "runner:asking:password": Behaviour("A password is in nothing that the hall tells.", "safety: T7"),
    "runner:ledger:known": Behaviour(
        "A block that was run before is not run again: its result is given at once, and nobody is asked.",
        "design 3: exactly once",
    ),
    "runner:ledger:left": Behaviour(
        "A block at whose beginning the host leaves was not sent; it runs when the reply is continued.",
        "safety 3.5",
    ),
    "runner:ledger:written": Behaviour(
        "What a block shows and how it ends is written down, also when nobody listens any more.",
        "design 3: written down before",
    ),
    "runner:ledger:at-once": Behaviour(
        "Of two replies that run the same block at once one runs it, and both get its result.",
        "safety 3.5: two tabs",
    ),
    "runner:ledger:later": Behaviour(
        "What a thread shows after the end of its block is in its record, and in no other block's result.",
        "kernel facts: output; R22",
    ),
    "runner:ledger:away": Behaviour(
        "What cannot be written down is not run, and the model is told why.", "design 3: exactly once"
    ),
    "runner:news:rest": Behaviour("Of a text that grows its rest is told.", "README, the command line"),
    "runner:news:once": Behaviour("An output is told again where it changed.", "README, the command line"),
    "runner:news:untold": Behaviour(
        "What was not told yet is given once, as it stands by then.", "README: what it promises"
    ),
    "runner:news:cleared": Behaviour(
        "What is shown anew after a clearing is told anew.", "kernel facts: output"
    ),
    "runner:news:missing": Behaviour("What could not be told in time is counted.", "kernel facts: output"),
    "runner:leave:interrupts": Behaviour(
        "A host that stops listening interrupts the kernel.", "behaviours M5, M6"
    ),
    "runner:allowance:ends": Behaviour(
        "A reply that has had all that it may have ends, and says so to model and reader.", "decision 9"
    ),
    "runner:pictures:placed": Behaviour(
        "A host that can place pictures in a reply is given each of a result's.", "design, contract of a host"
    ),
}
