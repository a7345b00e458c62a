"""What the chat app promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "app:accessibility:axe": Behaviour(
        "Nothing serious is found by axe in the page, its panels and what blocks show, in both themes; "
        "charts, tables and controls have names, and Tab leads into a frame and out of it.",
        "WCAG 2.2 A and AA",
    ),
    "app:edit:beside": Behaviour(
        "A person can change the code of a block and run it: the edited run stands below the old one with "
        "what was changed, and the model reads that with the next message.",
        "README",
    ),
    "app:edit:recorded": Behaviour(
        "An edited run is a record of its own: a restart, *Restart and run all* and the notebook have it.",
        "decision 3",
    ),
    "app:edit:before": Behaviour(
        "Code can be changed before it runs: what ran is what the page, the record and the reply say.",
        "decision 3",
    ),
    "app:edit:refused": Behaviour(
        "Edited code runs only where the block could: not while it runs, not where running code is off.",
        "decision 7",
    ),
    "app:edit:drafts": Behaviour(
        "What was typed in the editor outlives a reload, and leaving the editor asks before it is lost.",
        "README",
    ),
    "app:edit:names": Behaviour(
        "In the editor the kernel completes names and says what they are, as plain text.", "Jupyter messaging"
    ),
    "app:long:end": Behaviour(
        "A long conversation opens at its end: what is in view is drawn first, then all the rest, which "
        "looks as it does in a short one.",
        "as fast as a static page",
    ),
    "app:long:still": Behaviour(
        "What somebody reads stays where it is while something above or below it is drawn.",
        "as fast as a static page",
    ),
    "app:long:found": Behaviour(
        "The page stays at what the browser has found far above, or a link leads to.", "find in page"
    ),
    "app:long:goes-on": Behaviour(
        "A long conversation goes on without being drawn anew; its earlier messages are edited and switched "
        "as in a short one.",
        "README",
    ),
    "app:own:fence": Behaviour(
        "A Python fence of a person's own message runs by a button, below it, and the model reads the result "
        "with the next message.",
        "README",
    ),
    "app:own:scratch": Behaviour(
        "The scratch cell runs code in the chat's kernel, is there after a reload, and the model hears of it "
        "only if a person says so.",
        "README",
    ),
    "app:own:kept": Behaviour(
        "A person's own runs are records of their own, there after a restart, and run only where code may.",
        "decision 3",
    ),
    "app:stop:block": Behaviour(
        "Stop of one block lets the reply go on from what it showed; the reply's own Stop ends it.", "README"
    ),
    "app:keys": Behaviour(
        "Code is approved, skipped and stopped by keys, `?` lists them, and none acts while somebody types.",
        "README",
    ),
    "app:folded": Behaviour(
        "Long code and long outputs are folded, and open by mouse and keyboard until the page is loaded.",
        "README",
    ),
    "app:packages:card": Behaviour(
        "Below a block that lacks a package stands what that is; one press installs it and runs the block.",
        "how people work with notebooks",
    ),
    "app:form:stricter": Behaviour(
        "A choice to be asked before code runs, or to run none, stays when the app is started again.",
        "safety: nothing becomes laxer by itself",
    ),
    "app:panel:closes": Behaviour(
        "The panel at the right is closed by a second press of what opened it, and by Escape, which is "
        "left to whoever has something of their own to close.",
        "the look",
    ),
    "app:panel:room": Behaviour(
        "However wide the page is, neither panel nor toasts cover the chat's buttons, but on a phone, which "
        "the panel fills.",
        "the look",
    ),
    "app:panel:widened": Behaviour(
        "What fills a narrow page stays open when that becomes wider; the list is back when it is closed.",
        "the look",
    ),
    "app:panel:nothing-to-do": Behaviour(
        "*Interrupt* and *Restart* are disabled while they can do nothing, and say why.",
        "a newcomer: both did nothing at a kernel that was not there",
    ),
    "app:panel:place": Behaviour(
        "What holds for kernels of this machine alone is not shown while code runs on a server.",
        "a newcomer: packages of this machine beside a server's address",
    ),
    "app:panel:lost": Behaviour(
        "In place of the kernel's light the page says that it is not connected and why, as long as the app "
        "does not answer, or somebody before it does.",
        "a green light of a kernel that nobody reaches",
    ),
    "app:files:links": Behaviour(
        "A link in a reply to a file of the chat's folder downloads it, also after a reload; one that leads "
        "elsewhere says so.",
        "models write [file](sandbox:/mnt/data/out.csv)",
    ),
    "app:files:shown": Behaviour(
        "A link in an output to a file of the chat's folder downloads it.", "IPython.display.FileLink"
    ),
    "app:files:owner": Behaviour(
        "A file is given to whoever may see its chat, and to nobody else.", "safety: every route checks"
    ),
    "app:reply:allowance": Behaviour(
        "A reply that has had the seconds or tokens that were chosen ends and says so.", "decision 9"
    ),
    "app:reply:continuations": Behaviour(
        "The table of models says how a reply of the app goes on, by tool calls as well.", "README, settings"
    ),
    "app:reply:pictures": Behaviour("A model that sees is shown what its code shows.", "context thrift"),
    "app:guard:own-page": Behaviour("The app's own page can talk to the app.", "safety: T4"),
    "app:guard:others": Behaviour(
        "Requests for another Host, or from another Origin, `null` included, are refused, WebSockets too.",
        "safety: T4; CVE-2024-47165",
    ),
    "app:guard:public": Behaviour(
        "What closed frames are made of is for everybody, since they have no origin.", "rich output 3.3"
    ),
    "app:guard:nothing-from-elsewhere": Behaviour(
        "The page loads nothing from elsewhere and stands in no frame.", "safety: T2, T4"
    ),
    "app:base-path:whole": Behaviour(
        "Below a path of a shared address all of the page works, and its cookie is for that path.",
        "reverse proxies",
    ),
    "app:base-path:elsewhere": Behaviour(
        "Outside of its path the app says where it is, and a slash that is missing is added.",
        "reverse proxies",
    ),
    "app:base-path:written": Behaviour(
        "The path may be written with or without slashes; what is none is refused.", "settings"
    ),
    "app:view:text": Behaviour("Thoughts and notices are text, whatever is in them.", "safety: T2"),
    "app:prose:read": Behaviour(
        "Whatever a person or a model wrote can be read, tags and all, and none of it acts.", "safety: T2"
    ),
    "app:prose:typed": Behaviour("What a person typed stands as it was typed.", "the look"),
    "app:prose:grows": Behaviour(
        "A reply that grows is drawn as it is in the end, and only its last piece changes.", "performance"
    ),
    "app:prose:kinds": Behaviour(
        "Markdown is CommonMark with tables, boxes and footnotes; numbers stay as written; links lead to the "
        "web or are text, and no picture is loaded from elsewhere.",
        "CommonMark; GFM; safety: T2",
    ),
    "app:prose:formulas": Behaviour(
        "Formulas between dollars and behind backslashes are told from prices and variables.", "the look"
    ),
    "app:prose:looks": Behaviour(
        "Formulas are drawn, numbers of lists are seen whole, and a wide table scrolls by itself.", "the look"
    ),
    "app:view:thought": Behaviour("A thought is shown without the tags it came in.", "the look"),
    "app:view:order": Behaviour("A reply shows its parts in the order in which they came.", "the look"),
    "app:view:kept": Behaviour("A part that stays the same is not drawn again.", "performance"),
    "app:language:other": Behaviour(
        "A block in a language that the kernel does not speak is never run again.",
        "kernels other than Python's",
    ),
    "app:transcript:grows": Behaviour("A reply grows by what happens, part by part.", "docs/architecture.md"),
    "app:transcript:linear": Behaviour(
        "What a delta adds to a reply costs what the delta does, however long the reply is.", "performance"
    ),
    "app:transcript:unfinished": Behaviour("A block that was not closed is shown as not run.", "decision 1"),
    "app:first:sum": Behaviour(
        "`What is 10 + 5?` ends in a sentence with 15 that a kernel computed; in a sandbox that takes no "
        "click, without one it asks whether it may run.",
        "done when",
    ),
    "app:first:unsaid": Behaviour(
        "Until a page that opens knows which model there is, it says nothing about it.", "the look"
    ),
    "app:first:whole": Behaviour(
        "The line below the message box wraps where there is no room for it.",
        "where code runs is always seen",
    ),
    "app:first:labelled": Behaviour(
        "The demo model is called a script in its name, in a banner and in its first words.",
        "models: default",
    ),
    "app:first:examples": Behaviour("What the empty page proposes works with the demo model.", "door 2"),
    "app:first:state": Behaviour("The next turn still knows the variables.", "done when"),
    "app:first:plot": Behaviour("A plot is seen.", "done when"),
    "app:first:error": Behaviour("The model reads an error and corrects it.", "the demo's tasks"),
    "app:stop:generation": Behaviour("Stop closes the model's stream and keeps what was said.", "M5, M6"),
    "app:stop:execution": Behaviour("Stop interrupts the kernel, which keeps its variables.", "M5"),
    "app:stop:closed-page": Behaviour("Closing the last page stops the model.", "M6"),
    "app:stop:stays": Behaviour(
        "While a reply is written there is a Stop, however slow what the page was told before comes.",
        "a fault seen: an answer about an earlier reply overtaken by a later one",
    ),
    "app:stop:deadline": Behaviour("A block can end at its deadline, and the model is told.", "M3"),
    "app:again:beside": Behaviour(
        "A person can run a block again: its result stands beside the old one, the model reads it with the "
        "next message, and both runs are written down.",
        "decision 3",
    ),
    "app:again:asks": Behaviour("A block that runs again can ask, and be stopped.", "decision 3"),
    "app:late:goes-on": Behaviour(
        "A block that goes on after its deadline is followed, also over a reload; its result comes once, "
        "with the next message.",
        "decision 5",
    ),
    "app:rebuild:again": Behaviour(
        "Restart and run all brings the variables back; person and model are told what there is.",
        "kernel facts: a dead kernel's variables are gone",
    ),
    "app:late:fits": Behaviour(
        "What the model saw before a message wraps and scrolls below it, in small type.",
        "a fault seen: unstyled text, cut at every width",
    ),
    "app:late:queue": Behaviour("The next block waits in line until the late one has ended.", "decision 5"),
    "app:late:stop": Behaviour("A late block has a Stop of its own; its variables stay.", "decision 5"),
    "app:late:edited": Behaviour(
        "What came late stays with the model when messages are edited.", "decision 5"
    ),
    "app:later:its-block": Behaviour(
        "What a thread shows after its block has ended stands in that block, and in no other result.",
        "kernel facts: output; R22",
    ),
    "app:stop:interrupt": Behaviour(
        "Interrupt ends the block that runs; the reply goes on.", "the kernel form"
    ),
    "app:reload:middle": Behaviour("A reload finds the reply going on.", "safety 3.5"),
    "app:reload:after": Behaviour("A reload shows the conversation again and runs nothing.", "decision 3"),
    "app:tabs:both": Behaviour("Two tabs show the same conversation.", "safety 3.5"),
    "app:tabs:stays": Behaviour(
        "A message that is not taken, since a reply is being written, leaves the conversation in the page.",
        "seen: the conversation gave way to the welcome page",
    ),
    "app:tabs:busy": Behaviour(
        "A message that cannot be sent while a reply is written stays in its box.", "safety 3.5"
    ),
    "app:conversations:early": Behaviour(
        "A message that is sent before the page is ready begins the page's conversation.", "a race seen"
    ),
    "app:kept:whole": Behaviour(
        "The next start of the app shows a conversation as it was, its blocks with what they showed.",
        "safety 3.5: crash and resume",
    ),
    "app:kept:killed": Behaviour(
        "After kill -9 in the middle of a block the conversation is there: the block is lost and does not "
        "run again, the reply says that it was cut, the model is told once, and the next message works.",
        "safety 3.5: crash and resume",
    ),
    "app:kept:ended": Behaviour(
        "A block that SIGTERM stopped says that its variables are gone, to the model, too.",
        "safety 3.5: crash and resume",
    ),
    "app:kept:seldom": Behaviour(
        "A reply is written down at its beginning and its end, at those of its blocks, and now and then.",
        "performance",
    ),
    "app:kept:folder": Behaviour(
        "Where the data folder is removed, it is made anew, and the page says so.", "nothing vanishes"
    ),
    "app:kept:refused": Behaviour(
        "A block that cannot be recorded says so, in the page and to the model, and runs when it can.",
        "nothing vanishes",
    ),
    "app:kept:unread": Behaviour(
        "While the records cannot be read the list says so, and no conversation is said to be gone.",
        "nothing vanishes",
    ),
    "app:kept:number": Behaviour(
        "A program's count beyond all numbers keeps nothing from being kept.", "nothing vanishes"
    ),
    "app:tabs": Behaviour(
        "Any number of tabs work at once: no page keeps a connection of HTTP open.",
        "browsers open six connections to a host over HTTP/1.1",
    ),
    "app:tabs:stream": Behaviour(
        "The socket of a page's stream checks token, cookie and Origin, as all routes do.", "safety: T2"
    ),
    "app:list:rows": Behaviour(
        "The conversations stand in a list, by their first words or a name that is given in place.",
        "what users of chat pages ask for",
    ),
    "app:titles:asked": Behaviour(
        "After its first reply a conversation gets a short title by the model, in the background.",
        "what users of chat pages ask for",
    ),
    "app:titles:plain": Behaviour(
        "Of what a model says to that, one bounded line of plain text is a title, or nothing.", "safety: T2"
    ),
    "app:titles:never": Behaviour(
        "A conversation that a person named keeps its name, and no title is asked for where that is off or "
        "where it would be late.",
        "a person's word counts",
    ),
    "app:titles:yields": Behaviour(
        "A reply that begins ends the requests for titles; one that fails or takes too long leaves the first "
        "words.",
        "a title is never worth a wait",
    ),
    "app:list:dates": Behaviour(
        "The list goes by dates, those of the reader's time zone, and says the exact one on hover.",
        "what users of chat pages ask for",
    ),
    "app:list:pinned": Behaviour(
        "A pinned conversation stays at the top, in all tabs and after a restart.",
        "what users of chat pages ask for",
    ),
    "app:list:many": Behaviour(
        "However many conversations there are, they scroll by themselves and lie over nothing. "
        "The one that is open is in view, and arrow keys lead from row to row, of which Tab meets one.",
        "the list",
    ),
    "app:list:escaped": Behaviour("No title becomes part of the page.", "safety: T2"),
    "app:list:search": Behaviour("A search leaves the rows in which all its words occur.", "the list"),
    "app:list:address": Behaviour(
        "Each conversation has an address; the browser's back and forward follow it.", "the list"
    ),
    "app:list:late": Behaviour(
        "What a page asks by itself for a conversation that it has left does not take it back there.",
        "back and forward, at once",
    ),
    "app:list:order": Behaviour(
        "A page says which list and which grants it shows; where older ones came last, they are sent again.",
        "CI: a deleted conversation that stayed in the list",
    ),
    "app:quiet:page": Behaviour(
        "While nothing happens, a page asks now and then whether there is news: it sends Gradio no event "
        "and asks for no frame.",
        "Gradio's page drew itself sixty times a second, and each event costs all of its components",
    ),
    "app:quiet:news": Behaviour(
        "What changes by the kernel, another tab or the records is shown within seconds, also after the app "
        "could not be reached for a moment; the route tells only its own page whether anything is new.",
        "README",
    ),
    "app:list:notebook": Behaviour(
        "A conversation is downloaded as a notebook, by whoever knows its id and nobody else.", "anchors: 45"
    ),
    "app:list:notebook:missing": Behaviour(
        "What a notebook that is downloaded lacks is said on the page.", "nothing vanishes"
    ),
    "app:list:missing": Behaviour(
        "An address of a conversation that is not there says so and opens a new one.", "the list"
    ),
    "app:list:delete": Behaviour(
        "Delete asks once; then the reply is stopped, the kernel ends, and nothing of it is left.", "the list"
    ),
    "app:list:tabs": Behaviour(
        "What is done to the list in one tab is seen in the other; a reply goes on while its page shows "
        "another conversation.",
        "safety 3.5: two tabs",
    ),
    "app:conversations:apart": Behaviour("Two conversations never share a kernel.", "decision 6"),
    "app:again:quick": Behaviour("No message is lost, however soon it follows a reply.", "a race seen"),
    "app:ending:says": Behaviour(
        "A reply that is empty, stopped, cut off, refused or never begun says why in one line below it, now "
        "and when it is read again; a complete one says nothing, and the model reads none of it.",
        "no reply ends without a word",
    ),
    "app:traffic:linear": Behaviour(
        "A long block, answer, thought or output costs its page at most eight times its text in bytes.",
        "performance: nothing is sent twice",
    ),
    "app:traffic:copies": Behaviour(
        "No event has the page copy what its components hold, which for a chat is the whole conversation.",
        "performance: a message costs the same at the end of a long conversation",
    ),
    "app:opens:own": Behaviour(
        "What a person asks is scrolled to, wherever they are; what is asked in another tab is not.",
        "a fault seen: a question and its reply out of sight",
    ),
    "app:opens:end": Behaviour(
        "A conversation opens at its end, while its blocks fill, too, until a person scrolls.", "door 2"
    ),
    "app:copy:word": Behaviour(
        "A button that says for a moment what became of it finds its word again.",
        "a fault seen: a timer of an earlier press",
    ),
    "app:again:edit": Behaviour(
        "An edited message is answered anew; what came after it is kept as a version.", "door 2"
    ),
    "app:again:retry": Behaviour(
        "Retry writes the reply anew and keeps the old one; the kernel keeps its variables.", "door 2"
    ),
    "app:versions:path": Behaviour(
        "Everything after a message belongs to its version: what is shown is what the model gets.",
        "a tree of messages, as chat pages have it",
    ),
    "app:versions:switched": Behaviour(
        "Switching shows a version as it was left, with its widgets, runs nothing, and the kernel keeps its "
        "variables.",
        "decision 3: exactly once",
    ),
    "app:versions:refused": Behaviour(
        "While a reply is being written nothing is switched, and a sentence says so.", "one reply at a time"
    ),
    "app:versions:typed": Behaviour(
        "What somebody types in a message that another tab edits meanwhile goes to the message box, and so "
        "does an edit that is refused; a sentence says so.",
        "nothing that is typed is lost",
    ),
    "app:versions:draft": Behaviour(
        "What somebody types in a message outlives a reload of the page, until it is cancelled or sent.",
        "nothing that is typed is lost",
    ),
    "app:draft:reload": Behaviour(
        "What stands in the message box outlives a reload of the page, until it is sent.",
        "a newcomer: a reload lost the message that was being typed",
    ),
    "app:versions:hidden": Behaviour(
        "A block of a hidden version is never run again; what it shows later is there when it is shown.",
        "decision 5",
    ),
    "app:versions:late": Behaviour("What came late is read in whichever version is shown.", "decision 5"),
    "app:versions:kept": Behaviour(
        "All versions and the choice between them outlast a reload and a restart.", "safety 3.5: host crash"
    ),
    "app:model:history": Behaviour(
        "In later turns the model gets its reply with code and result exactly as they were.", "prefix cache"
    ),
    "app:model:thought": Behaviour("Reasoning is shown folded and never runs.", "decision 1"),
    "app:model:gone": Behaviour("An endpoint that fails is a sentence in the reply.", "errors"),
    "app:consent:skip": Behaviour(
        "A block that is skipped does not run, and the model hears so.", "decision 7"
    ),
    "app:consent:run": Behaviour("Where the app asks, it asks for each block.", "decision 7"),
    "app:consent:off": Behaviour("Where running is switched off nothing runs.", "decision 7"),
    "app:asking:answer": Behaviour(
        "A program that asks gets what a person types below its block, with the keyboard alone.", "R10"
    ),
    "app:asking:tools": Behaviour(
        "A tool is called once a person allows it below the block, and the model is told of it; what a chat "
        "may call without asking is listed in the drawer and taken back there.",
        "consent as for blocks",
    ),
    "app:asking:typing": Behaviour("What is being typed stays while the program prints.", "no flicker"),
    "app:asking:password": Behaviour(
        "A password stands in no page, storage, record or log, and the model never gets it.", "safety: T7"
    ),
    "app:asking:cancel": Behaviour(
        "Cancel and Stop interrupt a program that asks and let the reply go on.", "R13"
    ),
    "app:asking:tabs": Behaviour(
        "A question is in each tab, also after a reload; the first answer counts.", "safety 3.5"
    ),
    "app:asking:clock": Behaviour("No time of a cell passes while a person is asked.", "the looks"),
    "app:asking:late": Behaviour(
        "A block that asks after its deadline, beside the reply or after it, has its form, too.",
        "plan: stdin, deadline",
    ),
    "app:asking:hostile": Behaviour("A prompt is shown as text, all of it visible.", "safety: T2"),
    "app:asking:ticket": Behaviour(
        "Only our own page, with the question's ticket, can answer.", "safety: T4, T5"
    ),
    "app:safety:hostile-output": Behaviour(
        "Scripts in a kernel's output never run in the page.", "safety: T2"
    ),
    "app:safety:hostile-prose": Behaviour(
        "Scripts, elements and pictures in a model's Markdown are text: they neither run nor fetch anything.",
        "safety: T2",
    ),
    "app:safety:every-route": Behaviour(
        "No route, Gradio's included, answers to another page.", "safety: T4"
    ),
    "app:safety:routes": Behaviour("Each route refuses what is not the app's own page.", "safety: T4"),
    "app:looks:narrow": Behaviour("No screen is so narrow that the page scrolls sideways.", "door 2"),
    "app:looks:covered": Behaviour(
        "Nothing of the chat lies over a button: neither an icon of it nor its arrow.", "the look"
    ),
    "app:looks:dark": Behaviour("Dark follows the system until the person chooses.", "door 2"),
    "app:looks:steady": Behaviour("A block is never drawn anew while it runs.", "no flicker"),
    "app:records:written": Behaviour(
        "What a reply runs is written down under a name that does not give the conversation away.",
        "design 3: exactly once",
    ),
    "app:conversation:reply": Behaviour("A message is answered, and the answer is kept.", "door 2"),
    "app:conversation:one-at-a-time": Behaviour("A conversation writes one reply at a time.", "safety 3.5"),
    "app:conversation:edit": Behaviour("Only the user's messages can be edited.", "door 2"),
    "app:conversation:nobody-looks": Behaviour(
        "A reply that no page follows any more ends; one that is reloaded goes on.", "M6"
    ),
    "app:audience:own": Behaviour(
        "A reply ends because nobody looks only when it has had no page itself for as long as that takes.",
        "a fault seen: a timer of an earlier reply stopped a later one",
    ),
    "app:conversation:waits": Behaviour(
        "The bar of a block that waits for a kernel says so until it runs.", "fair use of one machine"
    ),
    "app:conversation:close": Behaviour("At the end of the app every reply ends.", "M5"),
    "app:conversation:failure": Behaviour("A failure is one sentence after what was said.", "errors"),
    "app:conversation:ticket": Behaviour(
        "Only the unguessable ticket of a waiting block lets it run, once.", "safety: T5"
    ),
    "app:conversation:always": Behaviour(
        "`Always allow in this chat` holds for one conversation.", "decision 7"
    ),
    "app:conversation:unguessable": Behaviour("Conversations are found by ids of ours only.", "safety: T5"),
    "app:form:on-timeout": Behaviour(
        "The form has the choice whether a block goes on after its deadline or is stopped there.",
        "setting on_timeout",
    ),
    "app:form:connect": Behaviour(
        "Connect checks the server and takes it; its token never comes back to the page.", "safety: T7"
    ),
    "app:form:attach": Behaviour(
        "The chat works in a notebook's kernel that a person has already, where it is named in the form.",
        "pair mode",
    ),
    "app:form:connect-fails": Behaviour(
        "Connect says what is wrong and leaves the place as it was.", "the kernel form"
    ),
    "app:form:found": Behaviour(
        "The form lists the Jupyter servers of this computer; the token of the chosen one comes to no page.",
        "servers and kernels: discovery; T7",
    ),
    "app:form:found-alone": Behaviour(
        "Where others may come to the page, the servers of its owner's computer are not offered.", "T7"
    ),
    "app:form:start-server": Behaviour(
        "A stopped server of a Hub is started by a button, with its progress; to stop waiting stops none.",
        "servers and kernels: S8",
    ),
    "app:form:test": Behaviour("Run shows output, kernel, version and round trip.", "the kernel form"),
    "app:form:model": Behaviour("A model is found by its address; its key never comes back.", "safety: T7"),
    "app:form:model-kept": Behaviour(
        "A chosen model is there after a restart, without its key; what it lacks is said, and the demo never "
        "takes its place.",
        "nothing is lost; safety: T7",
    ),
    "app:conversation:let-go": Behaviour(
        "Of many conversations those at rest are let go of, and are whole when asked for.",
        "memory stays bounded",
    ),
    "app:conversation:forgets": Behaviour(
        "What a reply that is written anew had shown is kept no longer.", "memory stays bounded"
    ),
    "app:start:import": Behaviour(
        "The app is imported without the stubs that Gradio makes for editors and without the MCP SDK.",
        "a start that takes seconds",
    ),
    "app:start:told": Behaviour(
        "What keeps the app from starting is said in one sentence.", "bad input gets one clear sentence"
    ),
    "app:widgets:linked-again": Behaviour(
        "Widgets whose kernel lives on a server are linked to it again after a restart, and nothing runs "
        "for that.",
        "rich output 6",
    ),
    "app:widgets:there-again": Behaviour(
        "Widgets stand as they were left after a reload and after a restart, and nothing is run for that; "
        "run again they live.",
        "design 8: records",
    ),
    "app:start:address": Behaviour(
        "The app says its address once it answers, and ends without a word.", "make run"
    ),
    "app:start:kernels-end": Behaviour("Kernels of this machine end with the app.", "make run"),
    "app:start:loopback": Behaviour("The app listens on loopback only.", "safety: T4"),
    "app:login:every-route": Behaviour(
        "Without the cookie no route tells or changes anything, Gradio's and WebSockets included; what is "
        "public are the scripts and styles that everybody can read.",
        "safety: T4",
    ),
    "app:login:manifest": Behaviour(
        "A browser's own request for the page's manifest is answered, which tells the name of the app.",
        "W3C Web Application Manifest",
    ),
    "app:login:kernel": Behaviour(
        "Code that runs cannot read the page, and cannot press its buttons.", "safety: T4"
    ),
    "app:login:link": Behaviour(
        "A link from the terminal is good for one browser: it becomes a cookie that no script and no other "
        "site can use, and its token is seen no more.",
        "as Jupyter does",
    ),
    "app:login:told": Behaviour(
        "Who opens the address without a link reads what to do.", "bad input gets one clear sentence"
    ),
    "app:login:kept": Behaviour(
        "A browser stays logged in after a restart, for thirty days after its last visit.", "as Jupyter does"
    ),
    "app:login:elsewhere": Behaviour(
        "A link to the app on another site works for whoever is logged in, and a new one from a terminal in "
        "a browser too.",
        "RFC 6265bis: SameSite",
    ),
    "app:files:private": Behaviour(
        "Records, keys and folders of the app are their owner's alone, whatever the umask is.",
        "docs/safety.md",
    ),
    "app:kernel:attached": Behaviour(
        "The kernel of a person's own notebook is restarted only after a question that names it.",
        "a fault seen: its variables were gone after one press",
    ),
    "app:kernel:imported": Behaviour(
        "Blocks that came from a file run with the others only after one question that counts them.",
        "docs/safety.md",
    ),
    "app:login:off": Behaviour(
        "`--no-token` lets everybody of this machine in, and the app says so.", "docs/hosts/app.md"
    ),
    "app:login:enter": Behaviour("Enter in the terminal prints another link.", "docs/hosts/app.md"),
    "app:login:background": Behaviour(
        "In the background of a terminal the app runs on.", "docs/hosts/app.md"
    ),
    "app:login:opened": Behaviour(
        "No command line has the token of the browser that the app opens.", "as Jupyter does"
    ),
    "app:start:port": Behaviour("A taken port is told, or the next one where nobody chose it.", "make run"),
    "app:allow:button": Behaviour(
        "*Allow for this chat* grants exactly what stands beside it and runs the block again; the "
        "model is told the result.",
        "safety: grants instead of walls",
    ),
    "app:allow:meanwhile": Behaviour(
        "What is allowed by hand, or by the button of another block, takes the place of all buttons for it, "
        "in blocks that are shown already; what is taken back is offered again.",
        "a fault seen: a button for what was allowed already",
    ),
    "app:allow:own": Behaviour(
        "What the sandbox refused to a person's own code, or what that lacks, is allowed by a press, too: "
        "the code runs again below it, and the model reads what came of that.",
        "README",
    ),
    "app:allow:reload": Behaviour(
        "The sentence and its button survive a reload and a restart; of two presses one counts.",
        "decision 3: reloads and restarts change nothing",
    ),
    "app:allow:never": Behaviour(
        "What holds secrets has a sentence and no button.", "safety, T1: host files stay out of reach"
    ),
    "app:allow:guarded": Behaviour(
        "Nobody but the app's own page can press the button, and it allows nothing else.",
        "safety: consent is given by a person",
    ),
    "app:allow:list": Behaviour(
        "The drawer lists what a chat was allowed and takes it back; a deleted chat leaves no grants.",
        "safety: grants instead of walls",
    ),
    "app:allow:by-hand": Behaviour(
        "In the drawer a person allows a folder, a domain or package indexes; what cannot be meant stays in "
        "the field, with a sentence.",
        "safety: grants instead of walls",
    ),
    "app:variables:panel": Behaviour(
        "The tab *Variables* lists what blocks have defined as they end, filters it, marks what has changed, "
        "and puts a variable's name into the message; the kernel's memory stands beside its light.",
        "JupyterLab's and Positron's variables",
    ),
    "app:variables:rows": Behaviour(
        "A click on a table shows its rows, which are paged and sorted in the kernel.",
        "Positron's data explorer",
    ),
    "app:variables:counted": Behaviour(
        "While nobody looks at the variables, a page asks only how many there are.", "performance"
    ),
    "app:variables:another-kernel": Behaviour(
        "Variables, memory and CPU that the page shows go with their kernel: after a restart, and at rest.",
        "a newcomer's restart",
    ),
    "app:variables:mentioned": Behaviour(
        "A message that names a variable (`@x`) brings the model what that is; later turns find it there.",
        "notebook chats",
    ),
    "app:variables:offered": Behaviour(
        "After an @ the message box offers the names of variables, for keys and pointer.", "notebook chats"
    ),
    "app:variables:guarded": Behaviour(
        "Only the app's own page gets variables, and only those of a conversation that there is.",
        "safety: each route checks credential, Host and Origin",
    ),
    "app:attached:message": Behaviour(
        "Files that are dropped, pasted or chosen belong to the message, after a reload and an edit, too; "
        "the model is told of each in a line, of a table with columns and rows; a message may be only files.",
        "files in; never guessed",
    ),
    "app:look:own-classes": Behaviour(
        "The styles of blocks reach nothing of the page by the name of a class.",
        "a message that could not be seen",
    ),
    "app:attached:pictures": Behaviour(
        "Of the pictures of a chat's messages a model that sees is shown the newest that are still there.",
        "context thrift",
    ),
    "app:attached:folder": Behaviour(
        "The files of a dropped folder are uploaded by their paths in it.",
        "files in",
    ),
    "app:attached:early": Behaviour(
        "Files that come before the chat is open go into it then.", "files that vanished on a slow machine"
    ),
    "app:welcome:opening": Behaviour(
        "A chat that is being opened does not look like a new one; a new one welcomes.",
        "a chat that seemed lost on a slow machine",
    ),
    "app:attached:uploads": Behaviour(
        "An upload can be cancelled, one that breaks off says so in a sentence and can be tried again, and "
        "no message goes without a file that is still on its way.",
        "files in",
    ),
    "app:panel:files": Behaviour(
        "The files tab lists the chat's files, takes, renames, deletes and gives them, and follows what code "
        "writes.",
        "the files panel",
    ),
    "app:panel:hostile": Behaviour(
        "Names of files are text in the files tab, whatever is in them, and two thousand do not hold it up.",
        "safety: T2",
    ),
}
