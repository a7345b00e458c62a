"""What the kernel room promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "execution:files": Behaviour(
        "What a kernel tells of files is taken where it is that; paths lead nowhere else.", "hostile kernels"
    ),
    "lookups:real": Behaviour(
        "An idle kernel completes names and says what they are, at the place that the page means.",
        "Jupyter messaging: completion, introspection",
    ),
    "lookups:idle": Behaviour(
        "A busy kernel, and one that is not there, is not asked about code that is being written.",
        "decision 6",
    ),
    "lookups:kinds": Behaviour(
        "What a completed name is, such as a function, is seen by the type of its value.", "editing code"
    ),
    "lookups:quick": Behaviour(
        "What completes names holds up no cell: our kernels complete by what they hold, without Jedi.",
        "a newcomer's edited block, 22 s",
    ),
    "lookups:hostile": Behaviour("What a kernel says of code is bounded, plain text.", "safety: output"),
    "session:files": Behaviour(
        "A result tells which files in the kernel's folder its cell has made or changed, however it ended.",
        "what people look for first",
    ),
    "session:files:others": Behaviour(
        "What somebody else writes between two cells is no cell's.", "uploads, and a person's own editor"
    ),
    "session:files:late": Behaviour(
        "A cell that goes on after its deadline tells its files when it ends.", "design 3: nothing lost"
    ),
    "session:files:unasked": Behaviour(
        "For code that is no block of anybody's, nobody looks for files.", "what is not used costs nothing"
    ),
    "local:sockets:swept": Behaviour(
        "What a killed process left of its kernels' sockets is removed by the next one, and nothing else is.",
        "nothing is left for ever",
    ),
    "messages:wire:round-trip": Behaviour(
        "A message comes back as it went, on every wire.", "Jupyter protocol"
    ),
    "messages:wire:jupyter": Behaviour(
        "Jupyter's own libraries read our messages, and we theirs.", "Jupyter protocol; Jupyter Server"
    ),
    "messages:garbage:ignored": Behaviour("What is no message is none, and never raises.", "O6; T6"),
    "doctor:broken:odd": Behaviour(
        "Whatever a server answers, the doctor and a cell say in a sentence what is wrong.",
        "design, decision 4; RFC 9110, RFC 6455",
    ),
    "cell:stdin:threads": Behaviour(
        "A thread asks while its cell runs, and takes nobody else's answer.", "kernel facts: stdin"
    ),
    "server:refused:not-the-token": Behaviour(
        "A server that knows the token but does not let it do something is not said to refuse the token.",
        "servers and kernels: S6, S7; each refusal is true",
    ),
    "server:start:stuck": Behaviour(
        "A kernel that does not come up is said to be what does not answer, and is ended.",
        "servers and kernels: S1; each refusal is true",
    ),
    "server:start:slow": Behaviour(
        "A kernel that takes its time to start on a server is waited for.",
        "servers and kernels: S1, a WebSocket opens when the kernel has answered",
    ),
    "messages:garbage:fault": Behaviour(
        "Of a message whose content cannot be read it is said that an output could not be read.",
        "decision 4: nothing vanishes",
    ),
    "client:hostile:next": Behaviour(
        "Whatever a program sends as messages, what comes between them and after them is shown.",
        "decision 4: nothing vanishes",
    ),
    "messages:garbage:signature": Behaviour("A message with a wrong signature is none.", "Jupyter protocol"),
    "messages:garbage:not-json-numbers": Behaviour(
        "NaN and Infinity, which are no JSON, become null.", "kernel facts: output"
    ),
    "messages:execute:unattended": Behaviour(
        "A cell may not ask on stdin, and its failure flushes nobody's queue.", "kernel facts: ending a cell"
    ),
    "messages:answer:secret": Behaviour(
        "A cell may ask where somebody can answer; the answer is open in the sent bytes only.", "T7"
    ),
    "execution:complete:both": Behaviour(
        "A cell is complete when reply and idle came, in either order.", "kernel facts: ending a cell; O7"
    ),
    "execution:complete:own": Behaviour(
        "What belongs to another request never ends or changes ours.", "M1, M2"
    ),
    "execution:complete:first-counts": Behaviour(
        "The first reply and the first idle status count.", "kernel facts: fork"
    ),
    "execution:stream:merged": Behaviour(
        "Consecutive text of one stream is one output.", "kernel facts: output"
    ),
    "execution:display:update": Behaviour(
        "An update takes the place of the displays with its id.", "Jupyter protocol"
    ),
    "execution:clear:at-once": Behaviour("`clear_output()` removes what was shown.", "Jupyter protocol; D2"),
    "execution:clear:wait": Behaviour(
        "`clear_output(wait=True)` clears when the next output comes.", "kernel facts: output"
    ),
    "execution:error:format": Behaviour(
        "An object that cannot be shown in one of its formats is shown in another, and its cell ended well.",
        "pygal without cairosvg; ipykernel 7 replies an error, NoneType",
    ),
    "execution:error:interrupted-twice": Behaviour(
        "An interrupt that came twice is told once.", "IPython: showtraceback, KeyboardInterrupt"
    ),
    "execution:error:in-reply": Behaviour(
        "An error that stands only in the reply is shown, once.", "kernel facts: ending a cell"
    ),
    "execution:reply:payload": Behaviour(
        "Of the payloads only a page becomes an output.", "kernel facts: ending a cell"
    ),
    "execution:reply:exit": Behaviour(
        "A program that asks for the end of its kernel is noticed.", "kernel facts: exit"
    ),
    "execution:result:count": Behaviour("The value of a cell carries its execution count.", "D1"),
    "execution:display:twice": Behaviour(
        "A figure that is displayed and also the last value is shown once.", "kernel facts: output; O24"
    ),
    "execution:untrusted:types": Behaviour(
        "What has the wrong type is left out.", "kernel facts: forged messages; T3"
    ),
    "execution:untrusted:never-raises": Behaviour("No message makes the folding raise.", "T6"),
    "execution:untrusted:surrogates": Behaviour("Text that cannot be written as UTF-8 is made so.", "R26"),
    "execution:changes:coalesced": Behaviour(
        "Many small changes to one output are told as one.", "kernel facts: output"
    ),
    "execution:changes:cleared": Behaviour(
        "A clearing is told before what comes after it.", "Jupyter protocol"
    ),
    "execution:bounds:text": Behaviour(
        "Of a very long text head and tail are kept, with a count of what is not.", "performance: floods"
    ),
    "execution:bounds:displays": Behaviour(
        "A program that displays in a loop is cut off, with a count.", "safety 3.3"
    ),
    "execution:bounds:mime": Behaviour(
        "What is too large for its MIME type is shortened or left out.", "safety 3.3"
    ),
    "execution:bounds:whole": Behaviour(
        "All displays of a cell together are bounded, and what is left out is named.", "safety 3.3"
    ),
    "execution:bounds:traceback": Behaviour(
        "Of a very long traceback the first and the last frames are kept.", "kernel facts: output"
    ),
    "cell:ends:ok": Behaviour("A cell gives its output, its value and its number.", "decision 4; D1"),
    "cell:ends:error": Behaviour("An error comes after the output before it.", "decision 2"),
    "cell:ends:exception-group": Behaviour(
        "An error that the kernel tells only in its reply is shown.", "kernel facts: ending a cell; M8"
    ),
    "local:memory:limited": Behaviour(
        "A kernel that uses more memory than it may, with all that it started, is ended, and that is said.",
        "safety: no resource without a bound",
    ),
    "local:memory:shared": Behaviour(
        "Memory that a kernel's processes share is counted once.", "fork(2): copies are made on writing"
    ),
    "cell:ends:fields": Behaviour(
        "How a cell ended, what the next one finds, its number, its error and why are fields of its result.",
        "O9",
    ),
    "cell:alarm:anew": Behaviour(
        "A time limit that is set anew counts from then, calls once, and leaves one timer in the loop.",
        "performance: what a cell costs in our process",
    ),
    "cell:deadline:absolute": Behaviour(
        "A cell's deadline begins with it and is not put off by what it shows; the start of its kernel has a "
        "bound of its own.",
        "O10",
    ),
    "kernel:restart:bounded": Behaviour(
        "A kernel that takes no notice of anything is restarted all the same, within a bound; what its cell "
        "showed is kept.",
        "R17",
    ),
    "cell:stdin:thread": Behaviour(
        "A thread that asks after the end of its cell gets the end of its input at once.", "R12"
    ),
    "cell:stdin:refused": Behaviour(
        "Without somebody to ask, input() raises at once.", "kernel facts: stdin; O14"
    ),
    "cell:stdin:asks": Behaviour(
        "A program that asks gets a person's answer; the output reads as in a terminal.",
        "kernel facts: stdin; R10",
    ),
    "cell:stdin:debugger": Behaviour("A debugger can be used.", "R10"),
    "cell:stdin:password": Behaviour(
        "A password stands in no output, log, or text of a value.", "kernel facts: stdin; T7"
    ),
    "cell:stdin:one-line": Behaviour("An answer is one line.", "kernel facts: stdin; R11"),
    "cell:stdin:stale": Behaviour(
        "An answer reaches the question that it was given to, or nobody.", "kernel facts: stdin; R11"
    ),
    "cell:stdin:withdrawn": Behaviour(
        "Stop, the deadline and the kernel's end withdraw a question; the next cell is fine.", "R13, R14"
    ),
    "cell:stdin:clock": Behaviour("While a person is asked no time of the cell passes.", "the looks"),
    "cell:stdin:bounded": Behaviour(
        "A question waits ten minutes at most, and not at all where nobody can be asked.", "O14"
    ),
    "cell:stdin:late": Behaviour(
        "A program that asks after its deadline asks whoever follows it then; where nobody does it is "
        "stopped, with what to do.",
        "plan: stdin, deadline",
    ),
    "cell:stdin:untrusted": Behaviour(
        "A prompt is a stranger's text: bounded, with nothing invisible, and it may be forged.", "T3"
    ),
    "session:state:persists": Behaviour("A later cell knows the variables of an earlier one.", "O16"),
    "session:state:separate": Behaviour("Two conversations never share a kernel.", "decision 6; D3"),
    "session:state:same": Behaviour(
        "A conversation keeps its session until it moves elsewhere.", "decision 6; O29"
    ),
    "session:state:moved": Behaviour(
        "The first result of a conversation that has moved says that earlier variables are not there.",
        "design 3: nothing lost without a word",
    ),
    "cell:outputs:live": Behaviour("Output arrives while the cell still runs.", "the plan, what flows"),
    "cell:outputs:same": Behaviour(
        "The changes told live give the outputs of the result.", "the plan, what flows"
    ),
    "cell:outputs:host-fails": Behaviour(
        "A page that fails to redraw does not end the cell.", "the contract of a host"
    ),
    "cell:detach:goes-on": Behaviour(
        "A cell may go on after its deadline to its real result.", "decision 5; R21"
    ),
    "cell:detach:once": Behaviour("The result of a cell that ended late is given once.", "decision 5"),
    "later:thread:its-cell": Behaviour(
        "What a thread shows belongs to the cell that started it, whatever runs meanwhile.",
        "kernel facts: output; R22; R23",
    ),
    "later:thread:figure": Behaviour(
        "A figure that a thread makes between two cells is shown as the first one's.", "matplotlib-inline"
    ),
    "later:thread:pool": Behaviour(
        "What a pool of threads does for a cell belongs to that cell, whoever made the pool.",
        "kernel facts: output",
    ),
    "later:task:its-cell": Behaviour(
        "What a task shows belongs to the cell that started it, whatever runs meanwhile.",
        "kernel facts: output",
    ),
    "later:display:its-cell": Behaviour(
        "What updates a display of an ended cell, in another cell or in a thread of its own, shows in the "
        "cell that displayed it.",
        "kernel facts: display ids map globally",
    ),
    "later:taken:kept": Behaviour(
        "What nobody took of what cells showed after their end outlives a rest of the session, bounded.",
        "README: what it promises",
    ),
    "later:bounded": Behaviour(
        "What a cell shows after its end is bounded, and says what is left out.", "performance; R24"
    ),
    "cell:detach:in-time": Behaviour("A cell that ends in time is not late.", "decision 5"),
    "cell:detach:live": Behaviour("Output after the deadline is told to whoever listens.", "decision 5"),
    "cell:detach:queue": Behaviour(
        "While a late cell runs the next one waits; its own deadline begins when it does.", "decision 5"
    ),
    "cell:detach:limit": Behaviour("At its limit a late cell is interrupted; variables stay.", "decision 5"),
    "cell:detach:interrupt": Behaviour("A person can stop a late cell.", "R21"),
    "cell:detach:restart": Behaviour("A restart ends a late cell, and its result says so.", "decision 4"),
    "cell:detach:moved": Behaviour(
        "A conversation that gets another kernel keeps the results of late cells.", "decision 5"
    ),
    "cell:interrupt:person": Behaviour(
        "A person can stop a cell, and what it showed is kept.", "O13, R15, R16"
    ),
    "cell:interrupt:queued": Behaviour("A cell that is stopped while it waits never runs.", "O11"),
    "cell:interrupt:idle": Behaviour("An interrupt without a cell harms nothing.", "R14"),
    "cell:cancel:interrupts": Behaviour(
        "Cancelling the caller stops the cell, and the next one runs.", "M4, M5, M6"
    ),
    "cell:queue:one-at-a-time": Behaviour(
        "Cells of one conversation run one after the other, in order.", "M1, O29"
    ),
    "kernel:rebuild:again": Behaviour(
        "An empty kernel can run the good blocks of a conversation again, and says what it holds.",
        "kernel facts: a dead kernel's variables are gone",
    ),
    "kernel:rebuild:refused": Behaviour(
        "What the sandbox refused to any block is said, ran it well or not, with what a person can do.",
        "a fault seen: an error without its reason",
    ),
    "kernel:rebuild:failure": Behaviour(
        "Running them again ends at the first block that fails, and says why.", "decision 4"
    ),
    "kernel:restart:person": Behaviour(
        "A restart empties the kernel, and the next result says so.", "decision 4"
    ),
    "kernel:restart:races": Behaviour(
        "No cell runs in the process that a restart ends, however long that takes and whoever waits for it; "
        "a restart that failed is not said to have emptied the kernel.",
        "O33",
    ),
    "kernel:restart:while-running": Behaviour("A restart ends the cell that runs as replaced.", "O33"),
    "kernel:spec:unknown": Behaviour(
        "An unknown kernel is refused with the names there are.", "kernel facts: auth"
    ),
    "session:light:states": Behaviour("The light tells what the kernel does.", "M17"),
    "session:warm:once": Behaviour(
        "Warming a kernel twice starts one, which then runs the cells.", "decision 6"
    ),
    "session:close:refused": Behaviour("A closed session refuses, and says why.", "decision 4"),
    "prelude:cells:broken": Behaviour(
        "Of a cell that does not compile nothing runs, and the model reads so.",
        "kernel facts: cells; M9, O22, R2, R3, R7",
    ),
    "prelude:cells:began": Behaviour(
        "Where a part of a cell ran, as in a kernel without the prelude, nobody says that nothing did.",
        "kernel facts: ending a cell",
    ),
    "prelude:python:old": Behaviour("The prelude is Python of 3.9, too.", "R6"),
    "prelude:scripts:own": Behaviour(
        "A script that an output would load from the web comes from the library's own files where it has it.",
        "no frame may ask the network",
    ),
    "prelude:files:large": Behaviour(
        "An output that is too large to be shown is a file of the kernel's folder, which it names.",
        "13 MB of HTML and 8000 × 8000 pictures were gone",
    ),
    "prelude:files:apart": Behaviour(
        "Every file of the prelude is sent, and one that fails leaves the others.", "one subject a file"
    ),
    "prelude:cells:sound": Behaviour(
        "A cell that compiles runs as it does in a kernel that is not prepared.",
        "kernel facts: cells; O19, R4, R5, R8, R9",
    ),
    "prelude:cells:every-kernel": Behaviour(
        "Every Python kernel that we open is prepared, also one that is restarted.", "kernel facts: cells"
    ),
    "prelude:text:half-characters": Behaviour(
        "Half a character that a program shows costs nothing but itself.", "R26; kernel facts: output"
    ),
    "prelude:output:waits": Behaviour(
        "What a program shows waits for who reads it slowly, and is not dropped.", "nothing is lost"
    ),
    "client:output:gap": Behaviour(
        "Output that did not come is said to be missing, by the numbers of what came.", "nothing is lost"
    ),
    "client:output:not-sent": Behaviour(
        "A message that a kernel makes and does not send is none that is missing.",
        "ipykernel: a last expression with `_ipython_display_`",
    ),
    "prelude:traceback:group": Behaviour(
        "The traceback of an ExceptionGroup begins in the cell.", "interactiveshell.py, showtraceback"
    ),
    "prelude:traceback:line": Behaviour(
        "An error names the line that raised, whatever ran after it.", "IPython: get_records, f_lineno"
    ),
    "prelude:traceback:unsayable": Behaviour(
        "An exception that cannot say what it is is told once, by its name.",
        "ipykernel: findings/ipykernel-exceptions-on-iopub.sh",
    ),
    "prelude:text:of-programs": Behaviour(
        "What programs that a cell starts write is in its result to the last line.", "M7; O20"
    ),
    "prelude:breakpoint:pdb": Behaviour(
        "`breakpoint()` means pdb: it asks, and where nobody can be asked it is an error at its line.",
        "kernel facts: stdin",
    ),
    "forked:kernel:same": Behaviour(
        "A forked kernel is like one that was started: command, paths, environment, signals, limits, rights.",
        "what a person relies on",
    ),
    "forked:kernel:loaded": Behaviour("A forked kernel has loaded what is preloaded.", "setting preload"),
    "forked:kernel:exit": Behaviour("How a forked kernel ended is known.", "decision 4"),
    "forked:kernel:listed": Behaviour(
        "A list of kernels has a forked one, by the command that it stands for.", "a newcomer's list"
    ),
    "forked:kernel:group": Behaviour(
        "A forked kernel is our child, and ends with all that it started.", "safety: faults"
    ),
    "forked:kernel:works": Behaviour(
        "Forks, pools of processes and what is registered for the end work in a forked kernel.",
        "atexit, fork(2)",
    ),
    "forked:chance:own": Behaviour(
        "Forked kernels share no random number, no secret and no name of a temporary file.", "random, uuid"
    ),
    "forked:threads:own": Behaviour(
        "Numerical libraries have as many threads in a forked kernel as in one that was started.", "OpenBLAS"
    ),
    "forked:plots:shown": Behaviour(
        "A plot of a preloaded library is shown, and its files are where the kernel may write.", "matplotlib"
    ),
    "forked:conversations:apart": Behaviour(
        "Nothing of a conversation is in the memory of a kernel that is forked later.", "safety: isolation"
    ),
    "forked:preload:refused": Behaviour(
        "A module that starts threads or keeps a file or socket open is not preloaded, and the log says so.",
        "fork(2)",
    ),
    "forked:template:died": Behaviour(
        "Where the template has died or hangs, a kernel is started; the others live on, and another template "
        "is loaded.",
        "safety: faults",
    ),
    "forked:template:renewed": Behaviour(
        "The template is renewed when packages, or variables that were read, are others.", "%pip"
    ),
    "forked:template:ends": Behaviour("Template and kernels end with us, also when we are killed.", "O32"),
    "spare:kernel:taken": Behaviour(
        "The next conversation's kernel has started before it is needed, and looks like one of its own.",
        "performance: the first block",
    ),
    "spare:kernel:refilled": Behaviour(
        "There is one spare kernel and no more, on this machine and not on servers.",
        "performance: the first block",
    ),
    "spare:kernel:dead": Behaviour("A spare kernel that died is not given to anybody.", "decision 4"),
    "spare:leaks:none": Behaviour("Nothing is left of a spare kernel, wherever its start is.", "O32"),
    "prelude:namespace:clean": Behaviour(
        "Preparing a kernel leaves no name in it, may be done twice, and minds no name of a program's.",
        "kernel facts: cells",
    ),
    "address:pasted:base": Behaviour(
        "A pasted address gives the server's base address.", "kernel facts: pasted addresses"
    ),
    "address:pasted:own-base": Behaviour(
        "A base path that is called like a page is not cut.", "kernel facts: pasted addresses"
    ),
    "address:pasted:once": Behaviour(
        "A server's address means the same when it is read again.", "kernel facts: pasted addresses"
    ),
    "address:pasted:shown": Behaviour(
        "A server shows its base address, whatever page of it was pasted.", "kernel facts: pasted addresses"
    ),
    "address:pasted:wrong": Behaviour("What is no address is refused, with the way out.", "safety 3.2"),
    "address:pasted:never-raises-else": Behaviour(
        "Any text is an address or refused, and a token in it is gone.", "T7"
    ),
    "address:token:split": Behaviour(
        "A pasted token is split off the address before anything else.", "kernel facts: pasted addresses; T7"
    ),
    "address:loopback:known": Behaviour("Addresses of this machine are known.", "T4"),
    "address:parents:nearest-first": Behaviour(
        "The addresses above one are listed from the nearest.", "safety 3.2"
    ),
    "environment:secrets:removed": Behaviour(
        "Secrets are left out of a kernel's environment; what programs need stays.",
        "kernel facts: start; O18",
    ),
    "portal:one:process": Behaviour(
        "There is one portal, and its work is done in its own thread.", "the plan, what flows"
    ),
    "portal:await:any-loop": Behaviour("Any loop can await what runs in the portal.", "the plan, what flows"),
    "portal:await:cancel": Behaviour("Cancelling an await cancels what runs in the portal.", "M5"),
    "portal:call:bounded": Behaviour(
        "A call that takes too long is cancelled and says so.", "CONTRIBUTING: every wait under a deadline"
    ),
    "portal:close:farewell": Behaviour("Farewells are said before the thread ends.", "O32"),
    "portal:hosts:loop": Behaviour(
        "A host with one event loop for all of its life may have kernel I/O live in that.",
        "fifty conversations",
    ),
    "portal:fork:anew": Behaviour("A forked child has a portal of its own.", "kernel facts: fork"),
    "local:environment:no-secrets": Behaviour(
        "A kernel sees none of our secrets.", "kernel facts: start; O18"
    ),
    "local:interpreter:ours": Behaviour(
        "`python3` is our own interpreter, installed as a kernel or not.", "R28"
    ),
    "local:directory:own": Behaviour("Each conversation has a working directory of its own.", "O29, R20"),
    "local:directory:names": Behaviour(
        "No two conversations share a directory name, and none climbs out.", "T5"
    ),
    "local:sockets:private": Behaviour("Nobody else can reach a kernel's sockets.", "kernel facts: ipc"),
    "execution:kernels:read": Behaviour(
        "What kernels of other makers send is read truly: values, errors, interrupts.",
        "recorded: deno, xeus-python, calysto_scheme, bash_kernel, IRkernel, akernel, tslab",
    ),
    "execution:kernels:order": Behaviour(
        "When the reply comes, before or after what is shown, makes no difference.", "the same recordings"
    ),
    "execution:kernels:info": Behaviour(
        "A kernel says what it is and what it speaks; what makes no sense of that counts as nothing.",
        "Jupyter messaging protocol: kernel_info",
    ),
    "execution:error:once": Behaviour(
        "An error is shown once, however many times the kernel tells of it, as message, reply and text.",
        "run: metakernel, tslab, ipykernel's UsageError",
    ),
    "execution:error:class-name": Behaviour(
        "An error has the name of its class, also where the kernel sends the class as Python shows it.",
        "run: xeus-python 0.19.0",
    ),
    "foreign:prelude:none": Behaviour(
        "A kernel that is not ipykernel is sent nothing but the cells.",
        "run: xeus-python shows the prelude's error as the person's",
    ),
    "foreign:language": Behaviour(
        "A reply runs blocks in its kernel's language, and says so of blocks in another.",
        "kernel_info: language_info; kernel specs: language",
    ),
    "foreign:doctor": Behaviour(
        "The doctor's test cell is in the kernel's language.", "kernels of other languages"
    ),
    "foreign:rebuild": Behaviour(
        "After running all again, nothing is said of variables that the kernel cannot list.",
        "IPython's who_ls",
    ),
    "foreign:server": Behaviour(
        "On a server a kernel's language counts as on this machine, also of one that is attached to.",
        "Jupyter Server: kernelspecs",
    ),
    "foreign:bash": Behaviour(
        "Bash's kernel runs blocks, keeps variables, is interrupted and fails truly, also in the sandbox.",
        "run: bash_kernel 0.10.0",
    ),
    "foreign:value:after-idle": Behaviour(
        "A value that comes after the end of its cell is in the cell's result.",
        "run: deno 2.9.8, where a cell awaits, 5 of 8",
    ),
    "foreign:aborted:again": Behaviour(
        "What a kernel flushed without running it is sent again, and runs once.", "run: tslab 1.0.22"
    ),
    "foreign:aborted:ran": Behaviour(
        "What a kernel ran and calls aborted was interrupted, and does not run twice.",
        "run: IRkernel 1.3.2, bash_kernel 0.10.0",
    ),
    "foreign:interrupt:ends": Behaviour(
        "A cell whose interrupt ends its kernel was stopped, and says that variables are gone.",
        "run: deno 2.9.8, xeus-python 0.19.0",
    ),
    "local:sockets:tcp": Behaviour(
        "A kernel that takes TCP sockets only is reached, in a sandbox by a relay in its network.",
        "run: deno 2.9.8, akernel 0.4.2 and xeus-python 0.19.0 end where they are offered ipc",
    ),
    "local:sockets:remembered": Behaviour(
        "What sockets a kernel takes is remembered until its spec or program changes.",
        "start in half the time",
    ),
    "local:sockets:tcp-confined": Behaviour(
        "In a sandbox without a relay a kernel that takes TCP only is refused, not started unconfined.",
        "safe by default",
    ),
    "local:start:no-program": Behaviour(
        "A kernel spec whose program is not there is refused by its name, in the sandbox too.", "O1"
    ),
    "local:sockets:short": Behaviour(
        "A long temporary directory does not break the sockets.", "unix(7): 108 characters"
    ),
    "local:history:off": Behaviour("Our kernels do not write IPython's history.", "performance: history"),
    "local:death:at-once": Behaviour(
        "The death of an idle kernel is noticed, and told with the next result.",
        "kernel facts: ending a cell; O36",
    ),
    "local:death:output-kept": Behaviour("What a kernel showed before it died is kept.", "O13"),
    "local:end:group": Behaviour("Closing ends the kernel and all that it started.", "O32"),
    "local:end:with-host": Behaviour("A kernel ends with its host, however that ends.", "O34"),
    "local:start:own-modules": Behaviour(
        "No file of the folder that a kernel works in is run to start it; code imports from there later.",
        "safety: what code leaves behind",
    ),
    "local:start:last-words": Behaviour("A kernel that does not come up says why.", "O1"),
    "sessions:cap:oldest-idle": Behaviour(
        "Over the cap, the kernel that rested longest makes room.", "kernel facts: idle kernel"
    ),
    "sessions:cap:all-busy": Behaviour(
        "Where all kernels stay in use, a cell is refused with the way out.", "T9"
    ),
    "forked:subshells": Behaviour(
        "A subshell of a forked kernel answers while a cell runs.", "Jupyter messaging: kernel subshells"
    ),
    "forked:debugger": Behaviour(
        "The debugger stops at a line in a forked kernel.", "Jupyter messaging: debug requests"
    ),
    "forked:pip": Behaviour("pip runs in the environment of a forked kernel.", "%pip"),
    "watch:rests": Behaviour(
        "A kernel that rests, and of which nothing changes, is looked at seldom; one that works is at once.",
        "many kernels rest beside one that works",
    ),
    "room:full:waits": Behaviour(
        "While all kernels are in use, a cell waits, its chat shows that, and nothing is ended for it.",
        "fair use of one machine",
    ),
    "room:full:leaves": Behaviour(
        "A cell that is stopped, or ends otherwise, before there is room takes no place in the queue and no "
        "kernel; others of its chat keep the place.",
        "fair use of one machine",
    ),
    "room:full:warm": Behaviour(
        "A kernel that is only warmed up, while no cell has come, takes the place of no other.",
        "fair use of one machine",
    ),
    "room:memory:short": Behaviour(
        "Where memory is short, a kernel that rests makes room for the next one; there is one at least.",
        "fair use of one machine",
    ),
    "room:choice:fair": Behaviour(
        "A kernel makes room for one of its owner, or of an owner who has fewer; all do after a long rest.",
        "fair use of one machine",
    ),
    "room:choice:oldest": Behaviour(
        "The kernel that was unused for longest makes room, and none that is in use ever does.",
        "kernel facts: idle kernel",
    ),
    "room:queue:fair": Behaviour(
        "Of those that wait, whoever has the fewest kernels comes first, then who came first; what is said "
        "counts those before.",
        "fair use of one machine",
    ),
    "room:capacity:machine": Behaviour(
        "How many kernels there may be follows the memory of the machine or container, and our open files.",
        "what fits on a machine of 24 GB fits on no small one",
    ),
    "sessions:idle:rests": Behaviour(
        "A kernel that nobody uses is let go, and the next result says so.", "kernel facts: idle kernel"
    ),
    "sessions:close:conversation": Behaviour(
        "Closing a conversation ends its kernel, and a new one may begin.", "O16"
    ),
    "sessions:leaks:none": Behaviour("Nothing is left when all is closed: no process, no file.", "O32"),
    "session:resumed": Behaviour(
        "Where an earlier process ran cells, a kernel that is new says that the variables are gone.",
        "safety 3.5: crash and resume",
    ),
    "session:resumed:count": Behaviour(
        "A kernel that was restarted while nobody of ours had it in hand says that the variables are gone; "
        "one that was not says nothing.",
        "safety 3.5: crash and resume",
    ),
    "server:kernel:left-behind": Behaviour(
        "The kernel that an earlier process left on the server can be ended.", "a deleted conversation"
    ),
    "server:kernel:found-again": Behaviour(
        "After a restart of ours the conversation finds its kernel and variables.", "decision 6; O4"
    ),
    "server:kernel:found-busy": Behaviour(
        "A cell that waits for one of an earlier start shows all that it prints.",
        "jupyter_server: a kernel that is busy is not looked at when a connection opens",
    ),
    "server:kernel:named": Behaviour(
        "The kernel stands in the server's list under the conversation, until it is closed.",
        "decision 6; O32",
    ),
    "server:kernel:other-spec": Behaviour(
        "A kernel of another name under the conversation is replaced.", "decision 6"
    ),
    "server:kernel:without-sessions": Behaviour(
        "A server without sessions gives a kernel, which is deleted in the end.", "decision 6: kernel_gateway"
    ),
    "server:address:base-path": Behaviour(
        "A pasted address below a base path works, also with the default WebSocket protocol.",
        "kernel facts: pasted addresses; O3, O6",
    ),
    "server:shared:own-output": Behaviour(
        "What another client of the kernel prints is not ours.", "kernel facts: two clients"
    ),
    "server:shared:aborted": Behaviour(
        "A cell that another client's error flushed from the queue is sent again, and runs once.",
        "kernel facts: aborted",
    ),
    "server:message:large": Behaviour(
        "A message of 15 million characters arrives whole.", "performance: a server"
    ),
    "server:token:nowhere": Behaviour(
        "The token is in no log, no result and no text of ours.", "decision 8; T7"
    ),
    "server:token:not-to-others": Behaviour("A redirect to another host is refused and gets nothing.", "T6"),
    "server:refused:sentences": Behaviour(
        "What a server answers in place of a kernel is said in one sentence with the way out.",
        "safety 3.2; O1",
    ),
    "server:refused:bounded": Behaviour(
        "A reply that is too large or never comes is given up.", "safety 3.2"
    ),
    "server:tls:verified": Behaviour(
        "A certificate that nobody vouches for is refused, unless its file is named.", "safety 3.2"
    ),
    "server:tls:plain": Behaviour("http to a server that speaks https says so.", "safety 3.2"),
    "server:garbage:ignored": Behaviour("Frames that are no messages are ignored.", "O6"),
    "server:move:ends-old": Behaviour(
        "A conversation that moves leaves no kernel behind.", "the plan, sessions"
    ),
    "doctor:works:server": Behaviour(
        "A server that works is walked to the end, and no kernel is left on it.",
        "the plan, connection doctor; C5",
    ),
    "doctor:works:local": Behaviour(
        "A kernel on this machine is walked to the end, and nothing is left of it.",
        "the plan, connection doctor",
    ),
    "doctor:report:json": Behaviour("The report is JSON, without the token.", "decision 8"),
    "doctor:broken:address": Behaviour("What is no address is said.", "safety 3.2"),
    "doctor:broken:refused": Behaviour("A port where nothing listens is said.", "O1"),
    "doctor:broken:dns": Behaviour("A host that is not found is said.", "O1"),
    "doctor:broken:tls": Behaviour("A certificate that is not trusted is said.", "safety 3.2"),
    "doctor:broken:ca-file": Behaviour(
        "A file of certificates that is none or not there is said; the right one is taken.", "safety 3.2"
    ),
    "doctor:broken:no-tls": Behaviour("https to a server that speaks http is said.", "safety 3.2"),
    "doctor:broken:base-path": Behaviour("A wrong base path is said, with the right one.", "safety 3.2"),
    "doctor:broken:hub": Behaviour("The address of a Hub itself is said.", "the plan, connection doctor"),
    "doctor:broken:not-jupyter": Behaviour("Something else that answers is said.", "P4"),
    "doctor:broken:token": Behaviour("A missing and a wrong token are told apart.", "kernel facts: auth; O1"),
    "doctor:broken:xsrf": Behaviour(
        "A server without a token that takes orders from its own pages only is said.", "kernel facts: auth"
    ),
    "doctor:broken:rate": Behaviour(
        "A limit of requests is said, with when to try again.", "the plan, connection doctor"
    ),
    "doctor:broken:elsewhere": Behaviour("An address that leads to another host is said.", "T6"),
    "doctor:broken:silent": Behaviour("A server that hangs is said.", "safety 3.2"),
    "doctor:broken:kernel": Behaviour(
        "A kernel that is not installed is said, with those that are.", "kernel facts: auth"
    ),
    "doctor:broken:start": Behaviour(
        "A kernel that the server does not start is said, with its words.", "O2"
    ),
    "doctor:broken:websocket": Behaviour(
        "A WebSocket that is blocked while REST works is said.", "the plan, connection doctor"
    ),
    "doctor:warns:open": Behaviour("A server that lets everybody in is warned of.", "safety, decision 10"),
    "doctor:warns:old": Behaviour("A server with a known hole is warned of.", "safety, decision 10"),
    "doctor:warns:outside": Behaviour(
        "A server of this machine that other machines can reach is warned of.", "the plan, connection doctor"
    ),
    "doctor:warns:dropped": Behaviour(
        "A server that drops even the test cell's output is warned of.", "kernel facts: output"
    ),
    "doctor:warns:plain-http": Behaviour("Plain http to another machine is warned of.", "T6; P7"),
    "local:plots:inline": Behaviour(
        "A plot is shown, whatever the host draws with.", "Jupyter: the inline backend"
    ),
    "sessions:leaks:half-started": Behaviour(
        "A kernel that is closed while it starts leaves nothing.", "O33"
    ),
    "local:directory:empty": Behaviour(
        "The working directory of a local kernel stays only where something lies in it.", "tried in the host"
    ),
    "widgets:state:folded": Behaviour(
        "The state of a widget is what was last said of each part of it, bytes included.",
        "widget protocol 2.1",
    ),
    "widgets:state:nonsense": Behaviour("What is no state is none.", "T6"),
    "widgets:state:bounded": Behaviour(
        "However much a program makes, what is kept of it is bounded.", "safety: T9"
    ),
    "widgets:words:state": Behaviour(
        "A widget is told by its kind, its label and its value as they are at the end of the run.",
        "decision 2",
    ),
    "widgets:words:picture": Behaviour(
        "What a widget has drawn into itself by the end of the run, as `interact` does, is its picture where "
        "widgets cannot be shown.",
        "docs/hosts/proxy.md, Charts and widgets",
    ),
    "widgets:words:closed": Behaviour("A widget that was closed is not told.", "decision 2"),
    "widgets:words:any": Behaviour("States of any shape are told somehow.", "safety: hostile input"),
    "widgets:reach:closed": Behaviour(
        "A view reaches its parts, what is shown in them and what joins them, and no more.", "rich output 2"
    ),
    "widgets:said:bounded": Behaviour(
        "What was said to models is kept in order, within bounds: of more the oldest goes.", "safety: T2"
    ),
    "widgets:kept:again": Behaviour("What is written down of widgets is told as it was.", "nbformat"),
    "widgets:kept:gone": Behaviour(
        "When a kernel is gone its widgets stand as they stood last, and nobody can move them.",
        "rich output 6",
    ),
    "widgets:parcel:round-trip": Behaviour("A parcel comes back as it went.", "rich output 6"),
    "widgets:parcel:nonsense": Behaviour("What is no parcel is none, and never raises.", "T6"),
    "widgets:output:taken-leave": Behaviour(
        "A kernel that stays when we go knows what its Output widgets showed to the last.", "rich outputs"
    ),
    "widgets:page:own-only": Behaviour(
        "A page moves the widgets of its own block; others are refused, also smuggled in.", "rich output 2"
    ),
    "widgets:live:both-ways": Behaviour(
        "What a page moves reaches the program, and what that does reaches every page.", "widget protocol 2.1"
    ),
    "widgets:live:bytes": Behaviour("Bytes go both ways, on every wire.", "widget protocol 2.1"),
    "widgets:live:as-it-comes": Behaviour(
        "What a program changes while it runs is told as it comes, many small changes as one.",
        "rich output 2",
    ),
    "widgets:modules:fetched": Behaviour(
        "The kernel gives the programs of its widgets from its own environment, also while a cell runs.",
        "rich output 1",
    ),
    "widgets:modules:named": Behaviour(
        "Only what is the name of a module is asked for, and what a module needs as well.", "AMD; safety: T9"
    ),
    "widgets:modules:bounded": Behaviour(
        "How many programs a kernel gives, and how large they are, is bounded.", "safety: T9"
    ),
    "widgets:modules:kept": Behaviour(
        "The programs of widgets are written down with them, and told when a kernel is gone.",
        "rich output 6",
    ),
    "widgets:modules:none": Behaviour("Widgets that we draw ask for no program.", "rich output 7"),
    "widgets:output:caught": Behaviour(
        "What an Output widget catches is in it, and in no other output.", "ipywidgets: Output"
    ),
    "questions:busy": Behaviour(
        "A kernel answers questions while a cell runs, and the cell's result has all that it shows.",
        "ipykernel: the control channel",
    ),
    "questions:wires": Behaviour(
        "A question passes every wire of a Jupyter server.", "Jupyter Server: WebSocket protocols"
    ),
    "questions:no-kernel": Behaviour("A question starts no kernel.", "nothing runs that nobody wants"),
    "questions:refused": Behaviour("What has no answer says why in a sentence.", "errors: one sentence"),
    "questions:late": Behaviour(
        "A kernel that does not answer a question in time is told to be busy, and asked again later.",
        "every wait is bounded",
    ),
    "questions:unprepared": Behaviour(
        "A kernel that was not prepared for questions is, and no name is left in it.",
        "prelude: leaves no name",
    ),
    "questions:borrowed": Behaviour(
        "A person's own kernel gets what answers questions with the first one, and nothing else of ours.",
        "attach: nothing that they did not ask for",
    ),
    "questions:restarted": Behaviour(
        "A kernel that a process finds again answers before its first cell.", "server:kernel:found-again"
    ),
    "questions:usage": Behaviour(
        "What a kernel uses, memory and CPU, is known of each kind of kernel.", "Activity, beside the light"
    ),
    "questions:hostile": Behaviour(
        "A kernel's answer is bounded in bytes before it is read, and an object or none.", "safety: T9"
    ),
    "variables:builtin": Behaviour(
        "Of a kernel's names those are listed that a person has defined, with types, sizes and a few words.",
        "JupyterLab's and Positron's variables",
    ),
    "variables:foreign": Behaviour(
        "To list variables and to page tables runs no code of a type that the program has defined.",
        "safety: looking changes nothing",
    ),
    "variables:tables:listed": Behaviour(
        "Tables are listed with their shape, their bytes and what their columns are.", "Positron's variables"
    ),
    "variables:tables:paged": Behaviour(
        "A table's rows are paged and sorted where it is, and come as plain text.", "nothing large travels"
    ),
    "variables:many": Behaviour(
        "Of very many variables the newest are listed, and all are found by name or type.", "bounded"
    ),
    "variables:busy": Behaviour(
        "Variables are listed while a cell defines and deletes them.", "questions:busy"
    ),
    "variables:hostile": Behaviour(
        "Whatever a kernel says of its variables is checked and bounded before it is shown.", "safety: T9"
    ),
    "kernel:files:everywhere": Behaviour(
        "Files go into the folder where the code works, and come out, wherever that is, also while it runs.",
        "local, Contents API, control channel",
    ),
    "kernel:files:no-kernel": Behaviour(
        "Without a kernel, files wait in the folder where one will start, or a sentence says that none runs.",
        "attachments come before the first block",
    ),
    "server:folder:chosen": Behaviour(
        "A kernel starts in the folder of the server that a person has chosen, beside their files, and is "
        "found again; no folder is made or removed.",
        "docs/jupyterhub.md",
    ),
    "server:folder:gone": Behaviour(
        "Of a chosen folder that the server does not have, a sentence says so; nothing starts elsewhere.",
        "nothing surprises",
    ),
    "server:folder:bounded": Behaviour(
        "A chosen folder is listed from its top, with a few requests, however much is in it.",
        "a home folder has 50,000 files",
    ),
    "server:folder:hint": Behaviour(
        "Where code misses a file in the folder of its chat on a server, the model reads where the person's "
        "files are.",
        "docs/jupyterhub.md",
    ),
    "kernel:files:hostile": Behaviour(
        "Whatever a kernel says of its files is checked before anybody reads it.", "safety: T9"
    ),
    "questions:beside": Behaviour(
        "A look into a table runs beside the kernel, in the folder it began in, while a cell runs; no name "
        "or module of it stays, and no file of the folder stands in for a module.",
        "nothing in the person's kernel",
    ),
    "questions:beside-head": Behaviour(
        "For the first rows of a table that only a library reads, a kernel of this machine is started.",
        "a preview after a restart of the app",
    ),
    "questions:beside-bounded": Behaviour(
        "What runs beside a kernel is bounded in time, in what it prints, and in number.",
        "every cost is bounded",
    ),
}
