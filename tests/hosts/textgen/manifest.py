"""What CodeRunner promises inside text-generation-webui."""

from tests.behaviours import Behaviour

HOST = "how text-generation-webui works, seen in its source and in its running page"

BEHAVIOURS = {
    "textgen:load:both-folders": Behaviour(
        "It works from either of the webui's two extension folders.", HOST
    ),
    "textgen:load:restart": Behaviour(
        "A restart of the interface leaves no kernel or thread behind, and every chat keeps its kernel.",
        HOST,
    ),
    "textgen:load:requirements": Behaviour(
        "Where a requirement is missing, the webui starts all the same, the form says what to install and "
        "replies pass untouched.",
        HOST,
    ),
    "textgen:load:older": Behaviour(
        "Another CodeRunner that was imported before gives way to the one in the extension folder.", HOST
    ),
    "textgen:places:instead": Behaviour(
        "In the page an element stands in the stead of a block's code and result, which are within it for "
        "whoever cannot see the element; so it is at each step of a growing reply.",
        "rich outputs",
    ),
    "textgen:places:forged": Behaviour(
        "What a model writes makes no element of a fence or of a line, and hides nothing.", "security"
    ),
    "textgen:places:prompt": Behaviour(
        "A model reads a reply as if there were no marks of places in it.", "rich outputs"
    ),
    "textgen:elements:shown": Behaviour(
        "A block is one unit in the reply, code, outputs and bar, and is mounted once while replies grow.",
        "rich outputs",
    ),
    "textgen:elements:files": Behaviour(
        "The files that a block made stand below it, with preview and download, after a restart, too.", HOST
    ),
    "textgen:elements:prompt": Behaviour(
        "The model reads code and result, and goes on from exactly these.", "host rule 5"
    ),
    "textgen:elements:records": Behaviour(
        "Outputs come from the records: they are there after a reload, while another reply is written anew, "
        "and after a restart of the webui, and nothing runs for that.",
        "design 3: exactly once",
    ),
    "textgen:elements:follows": Behaviour(
        "The page goes along with an output that comes when the webui has placed its reply already, unless "
        "the reader has scrolled away; and with nothing that somebody unfolds later.",
        "tried in the host",
    ),
    "textgen:elements:copied": Behaviour(
        "A reply that is copied has its code and its results, and none of the marks that it is kept with.",
        "tried in the host",
    ),
    "textgen:elements:widgets": Behaviour(
        "A slider of the real webui drives its plot; it stands where it was left in another tab, after a "
        "reload and when its kernel is gone, and nothing runs for that.",
        "rich outputs",
    ),
    "textgen:elements:buttons": Behaviour(
        "Run, Skip and Stop are buttons of the block; its Stop lets the reply go on.", "rich outputs"
    ),
    "textgen:elements:edit": Behaviour(
        "The code of a block is edited before it runs or afterwards, and the model reads what was changed.",
        "README",
    ),
    "textgen:elements:keys": Behaviour(
        "Keys that are pressed in a block do what they do there, and nothing in the page around it.",
        "modules' main.js: Ctrl+Enter and arrows write the reply anew, Escape stops it",
    ),
    "textgen:elements:always": Behaviour(
        "“Always allow in this chat” asks no more in this chat.", "rich outputs"
    ),
    "textgen:elements:again": Behaviour(
        "“Run again” is a run of its own beside the old one, written down, and the model hears of it.",
        "rich outputs",
    ),
    "textgen:elements:later": Behaviour(
        "What threads and tasks of a block show after its end comes into the block, and stays.",
        "rich outputs",
    ),
    "textgen:elements:whole": Behaviour(
        "A long text of a block is whole where the block is expanded, from the records too.", "rich outputs"
    ),
    "textgen:elements:linked-again": Behaviour(
        "Widgets whose kernel lives on a server are linked to it again when the webui was started anew.",
        "rich output 6",
    ),
    "textgen:elements:otherwise": Behaviour(
        "A block that is not known any more shows its code and result as text.", "rich outputs"
    ),
    "textgen:elements:api": Behaviour("An API client's reply has no marks.", HOST),
    "textgen:routes:closed": Behaviour(
        "In the webui's app no route of ours but the public files is for anybody but its own page.",
        "security",
    ),
    "textgen:routes:login": Behaviour(
        "Behind the webui's login our routes want it as well, the socket included.", "security"
    ),
    "textgen:routes:names": Behaviour(
        "With --listen our routes answer to addresses in numbers and to the machine's own names only.",
        "security: DNS rebinding",
    ),
    "textgen:routes:restart": Behaviour(
        "A restart of the interface mounts the routes once, and open pages stay valid.", HOST
    ),
    "textgen:reply:result": Behaviour(
        "In every mode of the chat, streaming or not, a block runs in the reply and the model goes on from "
        "its result.",
        "behaviours C1, C4",
    ),
    "textgen:reply:several": Behaviour("Several blocks in one reply work, in order.", "behaviours C2"),
    "textgen:reply:grows": Behaviour("The text that the webui gets only ever grows.", "host rule 1"),
    "textgen:reply:prefix": Behaviour(
        "Each continued prompt begins with the one before, so that the model's cache holds.", "host rule 5"
    ),
    "textgen:reply:off": Behaviour("Switched off, every reply passes untouched.", "behaviours C7"),
    "textgen:reply:regenerate": Behaviour(
        "Regenerate writes a new version; the old one keeps its result, and nothing of it runs again.",
        "behaviours D5",
    ),
    "textgen:reply:continue": Behaviour(
        "Continue goes on from the stored text, byte for byte, and runs nothing that ran before.",
        "host rule 5",
    ),
    "textgen:reply:unanswered": Behaviour(
        "Continue first runs a block that a reply ended with and that has no result.", "host rule 4"
    ),
    "textgen:reply:once": Behaviour(
        "A block whose result the webui did not keep is not run again on Continue, also after a restart: its "
        "result is known. Regenerate, and a reply begun anew, run their blocks.",
        "design 3: exactly once",
    ),
    "textgen:reply:start-with": Behaviour("“Start reply with” works.", HOST),
    "textgen:reply:failure": Behaviour(
        "What goes wrong on our side ends the reply with a sentence in it, and the next message works.",
        "host rule 9",
    ),
    "textgen:reply:budget": Behaviour(
        "The tokens of a reply are counted over all its parts, and a reply that has used them up says so.",
        "host rule 6",
    ),
    "textgen:reply:throttle": Behaviour(
        "The webui's throttle drops no step in which a block begins or a result comes.", HOST
    ),
    "textgen:stop:generation": Behaviour("Stop while the model writes ends the reply where it is.", HOST),
    "textgen:stop:execution": Behaviour(
        "Stop while a block runs interrupts it, and what it showed stays in the reply.", "host rule 4"
    ),
    "textgen:secret:elsewhere": Behaviour("A token that is kept is sent to no other server.", "safety: T6"),
    "textgen:late:bar": Behaviour("The bar mentions a block that goes on until it ends.", "decision 5"),
    "textgen:late:after-a-crash": Behaviour(
        "A block that still ran when the webui was killed is told with the next message, once.",
        "design 5: by itself",
    ),
    "textgen:late:next-message": Behaviour(
        "The result of a block that went on after its deadline comes with the next message, once.",
        "decision 5",
    ),
    "textgen:stop:deaf": Behaviour(
        "Stop ends the reply also while a program ignores it; the reply says so.", "host rule 4"
    ),
    "textgen:stop:leaving": Behaviour(
        "When the browser goes away, the webui's own thread is not held up, and the kernel is free soon.",
        HOST,
    ),
    "textgen:reload:deleted": Behaviour(
        "A chat that is deleted while a block runs does not come back when its page leaves.", HOST
    ),
    "textgen:reload:goes-on": Behaviour(
        "A block goes on when its page is loaded again; the model is told its result with the next message.",
        "seen: a reload interrupted the block",
    ),
    "textgen:reload:continue": Behaviour(
        "Continue after a reload waits for the block that goes on, and gives its end where it stands, once.",
        "seen: a block was told as running after its end",
    ),
    "textgen:stops:in-code": Behaviour(
        "Code that holds a stop string is cut there and never runs.", "host rule 2"
    ),
    "textgen:stops:past": Behaviour("What arrives past a stop string is not read.", "host rule 2"),
    "textgen:stops:in-result": Behaviour(
        "A program that prints stop strings or tags does not end the reply.", "host rule 3"
    ),
    "textgen:chats:rename": Behaviour(
        "A chat keeps its variables and what was always allowed in it, whatever it is renamed to.", HOST
    ),
    "textgen:chats:meanwhile": Behaviour(
        "A chat that is renamed while its reply is written is saved under its new name alone; one that is "
        "deleted meanwhile stays deleted.",
        "seen: the webui saves a reply under the name with which it began",
    ),
    "textgen:chats:restart": Behaviour(
        "A chat that goes on after a restart is told that the variables of its blocks are gone.", HOST
    ),
    "textgen:chats:branch": Behaviour(
        "A branch and an imported chat have a kernel of their own, and say that variables are gone.", HOST
    ),
    "textgen:chats:deleted": Behaviour(
        "A chat shares nothing with a deleted or renamed one whose name it has.", HOST
    ),
    "textgen:empty": Behaviour(
        "A reply without a word, thought aside, says why in the page, and only there.", HOST
    ),
    "textgen:cut": Behaviour(
        "A reply that the loader or the limit of tokens cut says why below it, in the page alone, until it "
        "is continued.",
        HOST,
    ),
    "textgen:thought:not-run": Behaviour(
        "A block in a thought does not run, also where the prompt opened the thought.", HOST
    ),
    "textgen:thought:again": Behaviour(
        "A model that thinks again after a result does not take code and result off the page.", HOST
    ),
    "textgen:thought:kept": Behaviour(
        "What a model thinks after a result stands folded in its place in the page, also after a reload; "
        "later prompts are without it.",
        HOST,
    ),
    "textgen:thought:veil": Behaviour("What is veiled only grows, and holds no whole tag.", HOST),
    "textgen:others:after": Behaviour(
        "Extensions after ours that declare the same hooks get their turn.", "host: first wins"
    ),
    "textgen:others:before": Behaviour(
        "Where an extension before ours takes the prompt's hook, replies pass untouched, as the form says.",
        "host: first wins",
    ),
    "textgen:others:tools": Behaviour("Blocks run before and after a call of a tool of the webui's.", HOST),
    "textgen:never:elsewhere": Behaviour(
        "Nothing runs in Impersonate, in the notebook, in search queries or in plain completions.", HOST
    ),
    "textgen:api:default": Behaviour("For API clients nothing runs unless it is switched on.", "host rule 8"),
    "textgen:api:on": Behaviour("Switched on, an API client gets deltas that only append.", "host rule 1"),
    "textgen:api:ask": Behaviour(
        "An API client cannot be asked, so nothing runs while blocks wait for a word.", "D7"
    ),
    "textgen:api:kernels": Behaviour(
        "An API client that names its user finds its kernel again; any other gets one for a single reply.",
        HOST,
    ),
    "textgen:api:gone": Behaviour("An API client that goes away stops its block.", HOST),
    "textgen:people:kernels": Behaviour(
        "Where the webui serves several people, each browser page has a kernel of its own.", "behaviours D3"
    ),
    "textgen:people:embedded": Behaviour(
        "Where the webui serves several people, nobody runs code on its machine unless its operator says so.",
        "design, decision 7",
    ),
    "textgen:people:locked": Behaviour(
        "Where the webui serves several people, the form changes nothing.", "design, decision 7"
    ),
    "textgen:chats:kernels": Behaviour("Two chats never share a kernel; one chat keeps its own.", "README"),
    "textgen:consent:ask": Behaviour(
        "On the embedded kernel a block waits for the person's Run, and Skip tells the model.",
        "design, decision 7",
    ),
    "textgen:consent:number": Behaviour(
        "A late press of Run never runs another block.", "design, decision 7"
    ),
    "textgen:consent:holds-up-nobody": Behaviour(
        "A reply ends with the block that waits for a word: no other reply, no API client and no notebook "
        "waits for it. With the word the page has it continued; the block runs at most once.",
        "measured: the webui writes one reply at a time, and a page sends nothing while it waits for one",
    ),
    "textgen:consent:passed-over": Behaviour(
        "A block that a newer reply of its chat has passed over says that it did not run, no word about it "
        "counts for the reply, and it can be run beside it.",
        "design, decision 7",
    ),
    "textgen:asking:bar": Behaviour(
        "What a program asks is answered in the bar below its block, with the keyboard alone.", "R10"
    ),
    "textgen:asking:answer": Behaviour(
        "A program gets the person's line; Cancel interrupts it, and the reply goes on.", "R10, R13"
    ),
    "textgen:asking:stop": Behaviour("Stop takes the question back and ends the reply.", "R13"),
    "textgen:asking:password": Behaviour(
        "A password reaches the program and nothing else: no page, file, log, prompt or history.",
        "safety: T7",
    ),
    "textgen:asking:nobody": Behaviour("An API client is not asked.", "O14"),
    "textgen:tools": Behaviour(
        "Code of a chat calls tools of configured MCP servers, of which the model is told, with a person's "
        "consent; for API clients, who cannot be asked, only where the settings say so.",
        "tools as functions in every host",
    ),
    "textgen:asking:number": Behaviour("An answer reaches the question that was seen, or none.", "R11"),
    "textgen:bar:own-file": Behaviour(
        "Each browser page learns what waits in its chat from a file whose name only it knows.",
        "measured: an event of gradio's keeps the page busy for so long that it loses updates of the reply",
    ),
    "textgen:bar:below-the-block": Behaviour(
        "Run and Skip stand right below the block that waits, and mean that block.", "README"
    ),
    "textgen:bar:elsewhere": Behaviour(
        "Another chat says in which one a program asks something, since replies wait for that, and has no "
        "buttons for it; of a block that waits for a word, and holds up nobody, it says nothing.",
        HOST,
    ),
    "textgen:load:half-started": Behaviour(
        "A kernel that is just being started when all is closed leaves no process behind.", HOST
    ),
    "textgen:form:on-timeout": Behaviour(
        "The form has the choice whether a block goes on after its deadline or is stopped there.",
        "setting on_timeout",
    ),
    "textgen:form:notebook": Behaviour(
        "A chat is downloaded as a notebook, with its blocks as cells and what they showed.", "anchors: 45"
    ),
    "textgen:form:environment": Behaviour(
        "What nobody chose in the form comes from CodeRunner's own settings.", "README"
    ),
    "textgen:bar:busy": Behaviour("The bar tells which block runs.", "rich output, the look"),
    "textgen:own:first": Behaviour(
        "The Python blocks of the person's own message run first, where that is switched on, and their "
        "results go to the model with it.",
        "behaviours C3",
    ),
    "textgen:own:off": Behaviour("By default a message passes as it was written.", "behaviours C3"),
    "textgen:pictures:inline": Behaviour(
        "Plots show in the reply, also after a reload, from files whose names cannot be guessed.",
        "rich output, 4",
    ),
    "textgen:pictures:checked": Behaviour(
        "What is no picture of its kind, or too large, is not stored; an SVG loses what could run.",
        "rich output, 3",
    ),
    "textgen:secret:token": Behaviour(
        "The token is in the one file that only its owner can read: not in the page, the webui's settings, "
        "its state or a log.",
        "design, decision 8",
    ),
    "textgen:form:choices": Behaviour(
        "What is chosen is kept over restarts; nonsense changes nothing.", "README"
    ),
    "textgen:form:first-steps": Behaviour(
        "Connect and Run are what the form shows first; the first time it is open, and the page says where.",
        "README",
    ),
    "textgen:form:found": Behaviour(
        "The form lists this machine's Jupyter servers where nobody else reaches it; their tokens stay here.",
        "servers and kernels: discovery; T7",
    ),
    "textgen:form:start-server": Behaviour(
        "A stopped server of a Hub is started by a button, with its progress; to stop waiting stops none.",
        "servers and kernels: S8",
    ),
    "textgen:form:connect": Behaviour(
        "Connect says what is wrong, or that it works, and fills the list of kernels.", "behaviours C5"
    ),
    "textgen:form:test": Behaviour(
        "Run shows a test cell's output, its kernel, the version and the round trip.", "behaviours C5"
    ),
    "textgen:form:restart": Behaviour("Interrupt and Restart reach the kernel of the chat.", "behaviours C8"),
    "textgen:form:builds": Behaviour(
        "The form builds as a page of gradio, without a secret in it.", "README"
    ),
    "textgen:preset:install": Behaviour(
        "The character that teaches the protocol is put where the webui finds it; nothing is overwritten.",
        "behaviours C10",
    ),
    "textgen:preset:system": Behaviour(
        "The same lesson can stand below one's own system message.", "behaviours C10"
    ),
    "textgen:preset:language": Behaviour(
        "With a kernel of another language the character and the system message teach that; what a person "
        "wrote stays as it is.",
        "kernels other than Python's",
    ),
    "textgen:load:log": Behaviour("What we log stands in the webui's own log.", "tried in the host"),
    "textgen:reach:meanwhile": Behaviour(
        "What the form has allowed is offered by no block any more, and again once it is taken back.",
        "a fault seen: a button for what was allowed already",
    ),
    "textgen:reach:by-hand": Behaviour(
        "The form shows what code of the chat may reach, allows more by hand and takes it back.",
        "safety: grants instead of walls",
    ),
    "textgen:reach:nothing": Behaviour(
        "On a server a sentence stands in place of the fields.", "safety: refusals are told truly"
    ),
    "textgen:reach:people": Behaviour(
        "Several people can allow nothing, and do not learn what the operator allows.", "safety: strangers"
    ),
    "textgen:reach:guarded": Behaviour(
        "Only our own page, with its token, Host and Origin, may allow anything.",
        "safety: consent is given by a person",
    ),
    "textgen:allow": Behaviour(
        "What the sandbox refused to a block is allowed by its button, and the block runs again.",
        "safety: grants instead of walls",
    ),
    "textgen:attachments:files": Behaviour(
        "Text files and pictures that a message brings lie in the folder in which code runs, by their names.",
        "the model reads `Name: sales.csv`, and its code opens it",
    ),
}
