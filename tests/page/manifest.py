"""What blocks promise in every host's page."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "files:preview:text": Behaviour(
        "The beginning of a text is seen in its coding; a file that is no text is told in a sentence.",
        "people look into a file before they keep it",
    ),
    "files:preview:table": Behaviour(
        "The first rows of a table are seen as a table, bounded in rows, columns and cells.",
        "csv, tsv, json lines",
    ),
    "files:preview:asked": Behaviour(
        "Of a table that only a library reads the kernel tells the first rows, or a sentence says why not.",
        "Parquet, Excel, Feather, Arrow",
    ),
    "files:preview:image": Behaviour(
        "An image is seen as what its bytes are, whatever its name says; nothing in it acts.", "hostile files"
    ),
    "files:made:routes": Behaviour(
        "What a block made is previewed and downloaded, and acts in no page.", "the route's own check"
    ),
    "files:made:closed": Behaviour(
        "Nobody gets a file that no block of theirs made, and no other page gets any.",
        "owner, Host, Origin, token",
    ),
    "files:made:marks": Behaviour(
        "A file that is gone or has changed since its block made it is marked so.",
        "a chip is there after a reload; its file may not be",
    ),
    "page:files": Behaviour(
        "Below a block stand the files that it made, with preview and download, and what became of them.",
        "people look for a block's files first",
    ),
    "page:folded:exact": Behaviour(
        "Of a long text the middle is hidden, and all of it is there to be copied and searched.", "README"
    ),
    "page:folded:lines": Behaviour(
        "Long code and long outputs show their first and last lines and a count; what is being written shows "
        "its end.",
        "README",
    ),
    "page:folded:end": Behaviour(
        "A text that is folded needs no scroll bar, and can be folded again at both ends of what was hidden. "
        "While its block runs, it stays at its end unless a person has scrolled up.",
        "the newest lines are what somebody waits for",
    ),
    "page:folded:grows": Behaviour(
        "Code that is written grows at its end alone, and stays when it is folded, so that little is sent.",
        "performance",
    ),
    "page:diff:seen": Behaviour(
        "Code that a person has changed shows what was changed, line by line, beside what it was.", "README"
    ),
    "blocks:code:language": Behaviour(
        "A block's code is coloured in its language; one that the kernel does not speak says so.",
        "kernels other than Python's",
    ),
    "page:element:tools": Behaviour(
        "What a block shows can be copied, downloaded, expanded and popped out, by keyboard too, and is not "
        "loaded again by that.",
        "the look",
    ),
    "page:element:narrow": Behaviour(
        "A narrow block says its state in one line, and has its buttons together in another.", "the look"
    ),
    "page:element:whole": Behaviour(
        "Of a long text the ends are shown; expanded it is shown, copied and kept whole, and as before when "
        "it is collapsed.",
        "safety: T9",
    ),
    "page:element:later": Behaviour(
        "A card that a person puts off stays away until the page is loaded again, whatever is drawn anew.",
        "CI: an offer that came back",
    ),
    "page:element:scripts": Behaviour("A person can switch off the scripts of one block.", "safety: T2"),
    "page:element:once": Behaviour(
        "An output is drawn once, in each tab, however much comes after it.", "no flicker"
    ),
    "page:element:away": Behaviour(
        "While nothing comes from the server, a running block says so and counts no seconds.", "facts"
    ),
    "page:element:together": Behaviour(
        "No output takes away the others of its block: what its script writes into the document, or puts in "
        "the place of everything, stands where that output does, and where one is stopped, the others stay.",
        "no output is lost",
    ),
    "page:element:failing": Behaviour(
        "An output that cannot be drawn shows its text and why, and those after it are drawn.", "O5"
    ),
    "page:element:endless": Behaviour(
        "A script that never ends is stopped; the page goes on and other outputs come back.",
        "rich output 3.2",
    ),
    "page:widgets:closed": Behaviour(
        "A widget that a program closed leaves nothing: live, after a reload, and from what was kept.",
        "as JupyterLab does",
    ),
    "page:widgets:moved": Behaviour(
        "A slider moves in the browser, in the kernel and in every tab, and after a reload stands as it did.",
        "widget protocol 2.1",
    ),
    "page:widgets:later": Behaviour(
        "A widget that a callback or a thread shows after the end of its cell is as live as any.", "O5"
    ),
    "page:widgets:gone": Behaviour(
        "Where no kernel is, widgets stand as they stood last, say so, and cannot be moved.", "rich output 6"
    ),
    "page:widgets:kinds": Behaviour(
        "Tabs, links, pictures, uploads, buttons, outputs, interact and tqdm work as in a notebook.",
        "rich output 1",
    ),
    "page:widgets:any": Behaviour(
        "An anywidget runs its own script in its frame, and where scripts are off shows its text.",
        "rich output 1",
    ),
    "page:widgets:ipympl": Behaviour(
        "A figure of `%matplotlib widget` is drawn by the kernel and hears of the mouse.", "rich output 1"
    ),
    "page:widgets:unknown": Behaviour(
        "A widget that cannot be shown says so, with its text; those beside it are shown.", "O5"
    ),
    "page:widgets:forged": Behaviour(
        "Whatever an output says at its door, it moves the widgets of its own block only.", "rich output 2"
    ),
    "page:widgets:hostile": Behaviour("A widget's state, however hostile, stays in its frame.", "safety: T2"),
    "page:widgets:whole": Behaviour(
        "What widgets live by beside their state and one program is there live, after a reload and from what "
        "was written down: what was said before a page listened, in order and once; watchers of what is "
        "shown; further files of a program, from the kernel; programs for JupyterLab alone.",
        "as JupyterLab has them",
    ),
    "page:widgets:lazy": Behaviour("What draws widgets is loaded with the first one.", "rich output 7"),
    "page:modules:shown": Behaviour(
        "Widgets of other packages are drawn by the programs that the kernel's environment has of them, move "
        "both ways, and are drawn again after a reload.",
        "rich output 1",
    ),
    "page:modules:there-again": Behaviour(
        "They are drawn as they stood last where no kernel is, from what was written down, too.",
        "rich output 6",
    ),
    "page:modules:scripts": Behaviour("Where scripts are off they show their text.", "safety: T2"),
    "page:modules:contained": Behaviour(
        "Their programs, however hostile, reach nothing outside their frame.", "safety: T2; rich output 3.2"
    ),
    "page:modules:failing": Behaviour("One that fails harms no widget beside it.", "O5"),
    "page:attacks:nothing-leaves": Behaviour(
        "No output, however hostile, reaches its page, another block or any server; what remains is WebRTC.",
        "safety: T2; rich output 3.2",
    ),
    "page:view:executed": Behaviour(
        "What BokehJS and HoloViews load and draw is run once, with the HTML that it belongs to.",
        "their MIME types `*_load.v0+json` and `*_exec.v0+json`",
    ),
    "page:frames:elsewhere": Behaviour(
        "Where an output would load from the web what we have, ours is loaded: whatever its version and "
        "hash, with or without `.js`, as script, module or RequireJS's; the countries of Plotly's maps and "
        "the icons of Font Awesome, too.",
        "no frame may ask the network",
    ),
    "page:comms:charts": Behaviour(
        "Charts of HoloViews and Panel speak to their program, and it to them, live and after a reload.",
        "their comms are no widgets'",
    ),
    "page:comms:pushed": Behaviour(
        "What a program pushes to a figure of Bokeh's is seen live, and by pages that show the figure later.",
        "bokeh.io.push_notebook",
    ),
    "page:comms:closed": Behaviour(
        "A page speaks to the targets that its own run's charts name, and hears from those, and no others.",
        "a page speaks for one run",
    ),
    "page:loaders:what": Behaviour(
        "What an output loads for later ones is told by what its scripts do: they leave something behind, "
        "and draw into no place of their own.",
        "libraries load themselves once, for a whole notebook",
    ),
    "page:loaders:bounded": Behaviour(
        "Of what was loaded, a block gets what was loaded last, bounded in number and size; hostile HTML "
        "costs no more than its length.",
        "conversations are long",
    ),
    "page:loaders:later": Behaviour(
        "What a block loaded is there in later blocks of its conversation that have scripts, live and after "
        "a reload, and in no others.",
        "libraries load themselves once, for a whole notebook",
    ),
    "page:loaders:refused": Behaviour(
        "What an earlier block could not load is said of a later one only where that shows nothing.",
        "docs/libraries.md",
    ),
    "page:loaders:closed": Behaviour(
        "What a block loaded is given to whoever may see the block, and to nobody else.",
        "owner, Host, Origin, token",
    ),
    "page:loaders:omitted": Behaviour(
        "Where not all that was loaded is there, the block says so, and what to do.", "nothing is lost unsaid"
    ),
    "page:attacks:loaders": Behaviour(
        "What a hostile output leaves for later blocks reaches no page and no server from their frames.",
        "loaders are a stranger's scripts",
    ),
    "page:attacks:boxes": Behaviour(
        "What stands in the page itself of an output, however hostile, fetches nothing, acts on nothing, "
        "takes no focus and covers nothing outside its box.",
        "safety: T2",
    ),
    "page:boxes:chosen": Behaviour(
        "Tables, prose, Markdown, formulas and JSON that do nothing stand in the page itself; what would "
        "lose something by being cleaned is drawn in a frame.",
        "the speed of a static page",
    ),
    "page:boxes:clean": Behaviour(
        "Of a program's HTML only listed elements and attributes stand in the page, and no address that is "
        "fetched.",
        "safety: T2",
    ),
    "page:boxes:styles": Behaviour(
        "Of a program's styles only plain ones stand in the page, which reach nothing outside their output.",
        "safety: T2",
    ),
    "page:boxes:order": Behaviour(
        "Outputs keep their order, and those that scripts or styles may be meant for share a document with "
        "these.",
        "no output is lost",
    ),
    "page:boxes:without": Behaviour(
        "Where the cleaner is not installed, HTML is drawn in frames.", "an environment from before"
    ),
    "page:boxes:used": Behaviour(
        "What stands in the page is searched, copied and followed like anything else there, in both themes, "
        "live and after a reload.",
        "the look",
    ),
    "page:attacks:firefox": Behaviour(
        "In Firefox, too, no output, however hostile, reaches its page or any server.", "safety: T2"
    ),
    "page:attacks:real": Behaviour("What the attacks try would work without a frame.", "safety 1"),
    "page:attacks:many": Behaviour("There are at least sixty attacks, each another one.", "the page"),
    "page:assets:whole": Behaviour(
        "What the page loads is as it was built, and what others wrote has its licence.", "rich output 7"
    ),
    "page:assets:small": Behaviour(
        "A page with text outputs and tables loads at most 70 KB of ours.", "the page"
    ),
    "page:assets:built": Behaviour(
        "What the page loads is built from `assets/src` with fixed versions, the same bytes each time.",
        "rich output 7",
    ),
    "page:missing:said": Behaviour(
        "What an output cannot show, since it needs the network, a file or a program, is said in one "
        "sentence, with a link to what can be opened; nothing is asked elsewhere before somebody presses it.",
        "a fault seen: blank boxes, grey faces, advice for other programs",
    ),
    "page:missing:file": Behaviour(
        "A file that an output shows is offered as a download only where the page can give it; one that is "
        "not in the chat's folder is said not to be.",
        "a fault seen: a download that could not be had",
    ),
    "page:frames:kept": Behaviour(
        "What an output keeps in storages and cookies is kept in its frame alone, and gone with it.",
        "libraries that end at the first look at a storage",
    ),
    "page:tables:data": Behaviour(
        "A table that comes as data is shown as a table; other data under that type are unfolded.",
        "JupyterLab's data explorer",
    ),
    "page:looks:foretold": Behaviour(
        "A chart that says how high it will be has that room before it is drawn for the first time.",
        "a long conversation that is read upwards on a slow machine",
    ),
    "page:frames:smallest": Behaviour(
        "A frame loads the small program of Plotly where its figures need no more, else the whole.",
        "as fast as a static page",
    ),
    "page:frames:ready": Behaviour(
        "While a block runs whose code names what draws in a frame, its frame is made ready, with the "
        "program that it is likely to need, and unseen; what it shows is drawn there, and where nothing is, "
        "the frame goes with the run's end.",
        "as fast as a static page",
    ),
    "page:looks:figures": Behaviour(
        "A figure without a height has the usual one, as wide as its block, live and after a reload.",
        "plotly.js: autosize",
    ),
    "page:looks:json": Behaviour("JSON is unfolded as far as there is room for it.", "the look"),
    "page:looks:json:exact": Behaviour(
        "What JSON shows is what was sent: each number to its last digit, each name in its place.", "RFC 8259"
    ),
    "page:looks:boxes": Behaviour(
        "A box in a list is one in Markdown of a program as in a reply.", "GitHub Flavored Markdown 5.3"
    ),
    "page:looks:sizes": Behaviour(
        "An image is as large as its program says, and keeps its shape.", "nbformat: metadata"
    ),
    "page:looks:view": Behaviour(
        "What is as high as its view is as high as the page's, and grows no further.", "rich output 3.2"
    ),
    "page:looks:beside": Behaviour(
        "What a script adds to the body of its page is seen, live, later and after a reload, and leaves with "
        "its output.",
        "a newcomer: document.body.append",
    ),
    "page:looks:narrow": Behaviour(
        "Where there is less room than widgets take by themselves they are as wide as that; those that a "
        "program gives a width keep it.",
        "the look at 390 pixels",
    ),
    "page:looks:formulas": Behaviour(
        "What is a formula in Markdown of a program is one in a reply as well, and nothing else is.",
        "tests/corpora/formulas.json",
    ),
    "page:looks:formulas:bare": Behaviour(
        "An environment of LaTeX without marks around it is a formula, in outputs as in replies.",
        "MathJax: processEnvironments",
    ),
    "page:looks:formulas:latex": Behaviour(
        "LaTeX that a program shows is read in every mark that notebooks take, and so are the words between.",
        "MathJax's delimiters in Jupyter",
    ),
    "page:looks:formulas:html": Behaviour(
        "Formulas in the texts of HTML are set, in the page and in frames, as in Markdown; none in code, in "
        "what a script makes, or where the program says that there are none; bounded in cost.",
        "MathJax in Jupyter: skipHtmlTags, ignoreHtmlClass",
    ),
    "page:looks:formulas:turns": Behaviour(
        "Hundreds of formulas are set in short tasks, between which the page draws and hears the reader, and "
        "first those that are seen.",
        "the page stood still",
    ),
    "page:looks:nothing": Behaviour("What shows nothing takes no room.", "the look"),
    "page:looks:scheme": Behaviour(
        "What looks for the theme, by media query, script, attribute or variable, is told the page's, and of "
        "a switch.",
        "CSS media queries 5: 11.5; JupyterLab's and xarray's names",
    ),
    "page:looks:contrast": Behaviour(
        "Text with colours of its own can be read in both themes.", "WCAG 2.2: 1.4.3"
    ),
    "page:zoo:firefox": Behaviour("Each kind is shown in Firefox too.", "the zoo"),
    "page:zoo:shown": Behaviour(
        "Whatever a notebook shows is shown, live and the same after a reload.", "rich output 1"
    ),
    "page:routes:closed": Behaviour(
        "No route takes anything from anybody but our own page: without its token, under another Host, from "
        "another Origin, `null` included, as a GET, as text, or as more than a button sends.",
        "safety: T4, T5; CVE-2026-39987, CVE-2024-47165",
    ),
    "page:routes:deep": Behaviour(
        "What is sent to a route and is no request of ours is refused, however deep it is nested.",
        "safety: hostile input",
    ),
    "page:routes:own": Behaviour("Our own page may press the buttons of its blocks.", "safety: T4"),
    "page:routes:owner": Behaviour(
        "A block's id is of use to its owner only; for everybody else there is no such block.", "safety: T5"
    ),
    "page:routes:public": Behaviour(
        "What everybody may load holds no data and is the same for all.", "rich output 3.3"
    ),
    "page:frames:closed": Behaviour(
        "A frame in which an output acts has no origin, no network and nowhere to go.", "rich output 3.1"
    ),
    "page:terminal:colours": Behaviour("ANSI colours show as colours.", "ECMA-48 8.3.117; xterm"),
    "page:terminal:moves": Behaviour(
        "Carriage returns and backspaces do what a terminal does, so progress bars are one line.", "ECMA-48"
    ),
    "page:terminal:nothing-hidden": Behaviour(
        "No character of an output is invisible or turns the text around.", "safety: output"
    ),
    "page:view:unit": Behaviour("Code, outputs and a quiet bar are one unit.", "the look"),
    "page:view:words": Behaviour(
        "A block's bar says in words how far it has come and how it ended.", "the look"
    ),
    "page:view:error": Behaviour(
        "An error shows its type, text and line; its traceback is folded.", "the look"
    ),
    "page:view:told": Behaviour(
        "An error is said to be shown to the model only where the model has read of it: not one of a "
        "person's own run, of a file, or of a block whose result is still to follow.",
        "a person who read both sentences of a scratch cell",
    ),
    "page:view:images": Behaviour(
        "PNG, JPEG, GIF, WebP and SVG show as images that can do nothing but be seen.", "safety: T2"
    ),
    "page:view:text-for-the-rest": Behaviour(
        "Where no script of ours runs, rich output shows as text.", "safety: T2"
    ),
    "page:view:long": Behaviour("A long output shows its beginning and its end.", "safety: T9"),
    "page:view:escaped": Behaviour(
        "Whatever a model or a kernel says, only elements and attributes of ours come of it.", "safety: T2"
    ),
    "page:refused:granted": Behaviour(
        "What was allowed meanwhile, in whatever way, is offered no more; the block can be run again.",
        "a fault seen: a button for what was allowed already",
    ),
    "page:refused": Behaviour(
        "Below a block's output stands what the sandbox refused, with a button for exactly what it grants.",
        "safety: grants instead of walls",
    ),
}
