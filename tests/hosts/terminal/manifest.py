"""What the command line promises of programs in kernels."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "exec:streams:own": Behaviour(
        "A program's stdout is the command's, its stderr and its traceback go to stderr, and the value of "
        "its last line is shown.",
        "README, the command line",
    ),
    "exec:streams:long": Behaviour("What cannot be printed in time is counted.", "kernel facts: output"),
    "exec:streams:closed": Behaviour(
        "A pipe that nobody reads any more ends the program, without a complaint.", "kernel facts: output"
    ),
    "exec:error:once": Behaviour(
        "An error that a kernel has written to stderr itself is not printed again; without a name it is an "
        "exit code.",
        "docs/kernels.md",
    ),
    "exec:files": Behaviour(
        "Which files the code has made or changed is told on stderr, with their sizes.",
        "stdout is the code's",
    ),
    "exec:refused": Behaviour(
        "What the sandbox refused is told in words for a person, with what they can do.",
        "a fault seen: words for a model at a terminal",
    ),
    "exec:codes:told-apart": Behaviour(
        "The exit code tells apart an error, a timeout, Ctrl-C, a program that did not run to its end and "
        "one that did not start; sys.exit() gives its own.",
        "README, the command line",
    ),
    "exec:codes:left": Behaviour(
        "A program that calls sys.exit() ends as with Python: in silence, or with its message.",
        "a fault seen: IPython's hints on %tb and Ctrl-D",
    ),
    "exec:source:any": Behaviour(
        "A program comes as text, from a file or by stdin.", "README, the command line"
    ),
    "exec:source:arguments": Behaviour(
        "A program finds its name and its arguments in `sys.argv`, not those of the kernel.",
        "python's own command",
    ),
    "exec:source:one": Behaviour(
        "Without a program, or with two, nothing is started.", "README, the command line"
    ),
    "exec:kernel:fresh": Behaviour(
        "A program has a kernel of its own, in the folder where the command runs, which ends with it.",
        "README, the command line",
    ),
    "exec:kernel:session": Behaviour(
        "With a session the kernel of that conversation on the server is used, what ran is written down, and "
        "the kernel stays.",
        "README, the command line",
    ),
    "exec:kernel:unkept": Behaviour(
        "Where what ran in a session is not kept, the command says so beside its output.", "nothing vanishes"
    ),
    "exec:kernel:off": Behaviour("Where approve is off nothing runs.", "design, decision 7"),
    "exec:asking:terminal": Behaviour(
        "A program that asks is answered from the terminal; a password is not shown.", "kernel facts: stdin"
    ),
    "exec:asking:piped": Behaviour("Answers may come by a pipe.", "kernel facts: stdin"),
    "exec:asking:nobody": Behaviour(
        "Where the answers end, the program that asks gets an EOFError, as in Python.", "kernel facts: stdin"
    ),
    "exec:interrupt": Behaviour(
        "What a program prints is there while it runs, and Ctrl-C interrupts it.", "README, the command line"
    ),
    "exec:pictures:shown": Behaviour(
        "An image is shown where the terminal can, and is a line of text elsewhere.",
        "kitty graphics protocol; iTerm2 inline images",
    ),
    "kernels:list:title": Behaviour(
        "`coderunner kernels` shows the title of a conversation beside its name.",
        "a newcomer: ids, no titles",
    ),
    "kernels:list:server": Behaviour(
        "`coderunner kernels` lists a server's kernels: state, last activity, memory, and what they are for.",
        "anchors: 55",
    ),
    "kernels:list:harmless": Behaviour(
        "What others called a kernel does nothing to the terminal.", "safety: T2"
    ),
    "kernels:list:here": Behaviour("It lists this machine's, too.", "anchors: 55"),
    "kernels:attach:variables": Behaviour(
        "Code can run in a kernel that a person has already, with its variables, which stay.", "pair mode"
    ),
    "kernels:attach:verified": Behaviour(
        "Where no kernel is meant, or several, they are listed and nothing is sent.", "pair mode"
    ),
    "kernels:attach:busy": Behaviour("A kernel that is busy for its person is not touched.", "pair mode"),
    "kernels:attach:kept": Behaviour(
        "A person's kernel is neither restarted by itself nor ended with ours.", "pair mode"
    ),
    "kernels:attach:consent": Behaviour(
        "A person's kernel is restarted only by whoever names it.", "pair mode"
    ),
    "kernels:attach:server": Behaviour(
        "What no server of this machine has is not attached to; the message says what they have.", "pair mode"
    ),
    "kernels:found:attach": Behaviour("The server of an open notebook is found by itself.", "pair mode"),
    "kernels:found:list": Behaviour(
        "The kernels of the Jupyter servers that run here are listed without an address.", "pair mode"
    ),
    "kernels:found:several": Behaviour(
        "A notebook that several servers have open is not guessed; they are listed.", "pair mode"
    ),
    "kernels:found:safe": Behaviour(
        "A token goes to no server that another user may have named, or that is not on this machine.", "T7"
    ),
}
