"""What the chat room promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "edited:model:changes": Behaviour(
        "Of code that a person changed and ran the model reads which lines, and the result.", "README"
    ),
    "edited:model:harmless": Behaviour(
        "Code of a person ends no fence, opens no thought and hides nothing.", "safety 3.4"
    ),
    "edited:model:bounded": Behaviour("Of many changed lines the model reads head and tail.", "decision 2"),
    "edited:before:continues": Behaviour(
        "Where a person changes a block before it runs, the reply says what was changed and goes on from "
        "what ran; nothing of that is a block.",
        "README",
    ),
    "edited:before:known": Behaviour(
        "That code was changed before it ran is known after a restart, and no program can claim it.", "README"
    ),
    "literal:tags": Behaviour("Tags that a notebook would leave out can be read in it.", "CommonMark 2.4"),
    "literal:kept": Behaviour(
        "Code, addresses and what a notebook shows are exported as they were written.", "CommonMark 6.1, 6.5"
    ),
    "failure:frames:many": Behaviour(
        "Of many frames the first and the last are told, and how many are not.", "README"
    ),
    "failure:frames:none": Behaviour(
        "An error without a readable traceback is told by its name and message.", "README"
    ),
    "failure:frames:within": Behaviour(
        "An error in code that the block ran by a magic, `eval` or the like is told by the line of the block,"
        " and never as one of an earlier block.",
        "IPython's tracebacks",
    ),
    "failure:frames:user": Behaviour(
        "An error names the lines of the user's own cells, whichever IPython wrote the traceback.",
        "decision 2",
    ),
    "failure:said:whole": Behaviour(
        "What an exception says is told whole, its notes and what caused it with it.", "PEP 678; PEP 3134"
    ),
    "failure:name:none": Behaviour("An error without a name is told as an exit code.", "bash_kernel"),
    "failure:size:bounded": Behaviour("A message of megabytes is cut.", "kernel facts, output"),
    "fences:code:exact": Behaviour("Code arrives byte by byte as the model wrote it.", "decision 1"),
    "fences:corpus:runs": Behaviour(
        "Of each reply in tests/corpora/fences exactly the listed cells run.", "CommonMark 0.31.2; decision 1"
    ),
    "fences:cost:linear": Behaviour(
        "Reading a reply takes steps in proportion to its length.", "performance"
    ),
    "fences:cost:one-delta": Behaviour(
        "The lines of a block that comes at once are read together, in a list, too.", "performance"
    ),
    "fences:cuts:nothing-changes": Behaviour("Cutting the stream anywhere changes nothing.", "conventions"),
    "fences:depth:no-crash": Behaviour("Lists and quotes of any depth are read without harm.", "safety 3.4"),
    "fences:events:abandoned": Behaviour("A fence without its closing line is abandoned.", "decision 1"),
    "fences:events:kinds": Behaviour("A reply becomes text, and fences with their code.", "CommonMark 4.5"),
    "fences:info:languages": Behaviour("The first word of the info string says what runs.", "decision 1"),
    "fences:markdown-it:agrees": Behaviour(
        "Outside block quotes our fences are those that markdown-it finds in the whole document.",
        "decision 1",
    ),
    "fences:streaming:at-once": Behaviour(
        "Text reaches the reader as soon as it cannot become a fence any more.", "CommonMark 4.5"
    ),
    "fences:streaming:flush": Behaviour(
        "What is held back can be said early without being misread.", "conventions"
    ),
    "fences:unfenced": Behaviour(
        "A text of one fence, with words around it or none, is its code; what may be a program is not "
        "touched.",
        "models that write Markdown for a tool",
    ),
    "fences:texts:joined": Behaviour("The texts of all events, joined, are the reply.", "conventions"),
    "hints:error:kept": Behaviour(
        "A hint is one line below an error, and leaves the error as it is.", "kernel facts: cells"
    ),
    "hints:input:nobody": Behaviour(
        "A debugger that nobody answers is told from input().", "kernel facts: stdin"
    ),
    "hints:modules:names": Behaviour(
        "A missing module is told by the name that pip knows.", "kernel facts: cells"
    ),
    "hints:modules:no-strangers": Behaviour(
        "No hint has a model install what pip cannot give, or what is a stranger's.",
        "safety: names that others take",
    ),
    "hints:timeout:shell": Behaviour(
        "Of a block with a shell command that does not end it is said that it may wait.",
        "kernel facts: stdin",
    ),
    "reasoning:cuts:nothing-changes": Behaviour(
        "A tag may arrive in any number of pieces.", "models and hosts 1.6"
    ),
    "reasoning:families:each": Behaviour(
        "The thought of each family of models is told apart.", "models and hosts 1.6"
    ),
    "reasoning:framing:unseen": Behaviour(
        "The framing between channels is neither text nor code.", "gpt-oss harmony"
    ),
    "reasoning:stray:before": Behaviour(
        "A closing tag alone says that everything before it was thought.", "models and hosts 1.6"
    ),
    "render:log:once": Behaviour(
        "A line that a log says again and again is told once, and how often.", "matplotlib: findfont"
    ),
    "render:late:named": Behaviour("A result that comes late says which block it is of.", "decision 5"),
    "render:again:named": Behaviour(
        "A result of a block that a person ran again says which block it is of.", "decision 3"
    ),
    "render:ends:sentence": Behaviour("Every way to end is told in one plain sentence.", "decision 4"),
    "render:golden:kinds": Behaviour("Each kind of result is told as its golden file says.", "decision 2"),
    "shown:plain:coloured": Behaviour(
        "A plain text in a terminal's colours is read as the same text without them.", "rich.pretty"
    ),
    "shown:tables:markdown": Behaviour(
        "A table of HTML is told in Markdown: its head, its tail and its size; or as plain text that serves.",
        "decision 2",
    ),
    "shown:html:readable": Behaviour(
        "HTML is told as it reads: no scripts, no styles, nothing hidden, media in words.", "decision 2"
    ),
    "shown:html:bounded": Behaviour(
        "HTML of any depth and size is read to an end; what was too much is counted.", "safety: hostile input"
    ),
    "shown:html:harmless": Behaviour(
        "Nothing in HTML leaves its fence or has a meaning for models.", "safety: hostile input"
    ),
    "shown:fallbacks:dropped": Behaviour(
        "Sentences for those who do not see what is shown are not told as facts.", "decision 2"
    ),
    "shown:formulas:latex": Behaviour(
        "A formula that is drawn in two dimensions is told as LaTeX, also where a picture is beside it.",
        "decision 2",
    ),
    "shown:charts:plotly": Behaviour(
        "A Plotly figure is told by its title, its axes, and its traces with counts and ranges.", "decision 2"
    ),
    "shown:charts:any": Behaviour("A chart of any shape is told somehow.", "safety: hostile input"),
    "shown:json:structure": Behaviour(
        "JSON is told whole where it is short, else by its structure and counts.", "decision 2"
    ),
    "shown:files:size": Behaviour(
        "A file is told by its type and size, a sound by its seconds.", "decision 2"
    ),
    "shown:images:unreadable": Behaviour(
        "An image that cannot be read is told in one line that says what it is.", "decision 2"
    ),
    "render:tool:order": Behaviour(
        "A tool's model gets texts and images in their order, each image once, errors last.",
        "models-and-hosts 5",
    ),
    "render:tool:bounded": Behaviour(
        "Each text of a tool's result is an excerpt, and as harmless as in a reply.", "models-and-hosts 5"
    ),
    "render:images:line": Behaviour("An image is told by its type, size and caption.", "decision 2"),
    "render:images:once": Behaviour(
        "A figure that comes twice from the kernel is told once.", "kernel facts, output"
    ),
    "render:images:pictures": Behaviour(
        "The host's pictures stand in place of the lines about them.", "decision 2"
    ),
    "render:error:once": Behaviour(
        "An error whose traceback Python itself has written is told once.", "ExceptionGroup in IPython"
    ),
    "render:limits:error-kept": Behaviour("A long output does not hide the error after it.", "decision 2"),
    "render:limits:head-and-tail": Behaviour(
        "Of a long output the head and the tail are kept, and what lies between is counted.", "decision 2"
    ),
    "render:mime:choice": Behaviour(
        "Of a bundle the model reads Markdown, then plain text, then HTML.", "decision 2"
    ),
    "render:one-line:fence": Behaviour("A line that a page would change stands in a fence.", "decision 2"),
    "render:one-line:plain": Behaviour("One harmless line needs no fence.", "decision 2"),
    "render:order:arrival": Behaviour("Outputs stand in the order of their arrival.", "decision 2"),
    "render:safety:fence": Behaviour(
        "Nothing that a program prints ends its fence, or starts a block that runs.",
        "safety 3.4, result forgery",
    ),
    "render:safety:odd-types": Behaviour(
        "Data of any type in a bundle is told somehow.", "kernel facts, output"
    ),
    "render:safety:tokens": Behaviour(
        "A result holds no stop string of the host and no token with a meaning.", "text-generation-webui c 3"
    ),
    "terminal:ansi:removed": Behaviour("ANSI sequences leave only their text.", "ECMA-48"),
    "terminal:invisible:shown": Behaviour("What a reader would not see is written out.", "decision 2"),
    "terminal:lines:folded": Behaviour(
        "Carriage returns and backspaces do what a terminal does.", "decision 2"
    ),
    "terminal:plain:stable": Behaviour("Text that is plain stays as it is.", "decision 2"),
    "turn:cuts:nothing-changes": Behaviour(
        "Cutting the deltas or the prior text changes nothing.", "conventions"
    ),
    "turn:limit:blocks": Behaviour(
        "The block beyond the limit does not run and ends the turn.", "decision 9"
    ),
    "turn:limit:exceeded": Behaviour(
        "A reply that has had all that it may have ends with the reason, and what waits does not run.",
        "decision 9",
    ),
    "turn:limit:repeats": Behaviour(
        "The same block that fails the same way twice is not run again, and the model is told before.",
        "decision 9",
    ),
    "turn:parts:order": Behaviour("Text is said in the order in which the model wrote it.", "decision 2"),
    "turn:parts:thought": Behaviour("Thought is said as thought and runs nothing.", "decision 1"),
    "turn:prior:never-runs": Behaviour("A block of the prior text never runs.", "decision 1"),
    "turn:prior:opened": Behaviour(
        "A block that begins in the prior text and ends in this turn runs.", "decision 1"
    ),
    "turn:prior:resume": Behaviour(
        "A block that ends the prior text without a result runs first where the host asks for it.",
        "text-generation-webui c 4",
    ),
    "turn:result:below": Behaviour("A result starts on a line of its own and is never run.", "decision 1"),
    "turn:result:late": Behaviour(
        "What came late of an earlier cell is said before the result.", "decision 5"
    ),
    "turn:result:pictures": Behaviour("The host's pictures stand below the result.", "decision 2"),
    "turn:run:at-closing-line": Behaviour("A block runs the moment it closes.", "decision 1"),
    "turn:run:at-end": Behaviour(
        "A closing line needs no line end at the end of the reply.", "CommonMark 4.5"
    ),
    "turn:run:never": Behaviour("Unclosed, empty, foreign and quoted blocks do not run.", "decision 1"),
    "turn:run:language": Behaviour(
        "Blocks in the kernel's language run; of those in another the model reads which that is.",
        "kernels other than Python's",
    ),
    "turn:run:nothing-beyond": Behaviour(
        "What the model says beyond the closing line is dropped.", "decision 1"
    ),
    "turn:run:several": Behaviour("A reply has as many blocks as it needs, counted from 0.", "what flows"),
    "turn:stop:generating": Behaviour("Stopping keeps what was said and runs nothing.", "what flows"),
    "turn:stop:running": Behaviour("Stopping while a cell runs ends the turn.", "text-generation-webui c 4"),
    "turn:table:misuse": Behaviour("A driver that calls out of turn is told.", "conventions, h11"),
    "turn:thinking:prompted": Behaviour("A reply can begin inside a thought.", "models and hosts 1.6"),
    "render:files": Behaviour(
        "Below the output stand the files that a block made or changed; their names neither act nor hide.",
        "models go on with what they have written; hostile names",
    ),
    "render:refused": Behaviour(
        "Below the output stands what the sandbox refused, who can allow each, and to try no other way.",
        "decision 4: truthful ends",
    ),
    "render:attached:lines": Behaviour(
        "Of each file that a person sends the model is told name, kind, size and what is known of it.",
        "never guessed",
    ),
    "render:attached:hostile": Behaviour(
        "Names and columns of files are cut, on one line, and nothing in them acts.", "safety: T1"
    ),
}
