"""What holds whatever goes wrong."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "faults:network:comes-back": Behaviour(
        "A connection that is cut while a cell runs comes back: every line is shown, or the result says that "
        "output may be missing.",
        "kernel facts: reconnect; decision 4; O8",
    ),
    "faults:network:told-at-block": Behaviour(
        "Who shows a block that runs is told that the connection to its kernel is lost and tried again, and "
        "that it is there again, also after the block's deadline.",
        "a newcomer: the bar counted on, and only the line at the left knew",
    ),
    "faults:network:another-way": Behaviour(
        "After a cut the next cell goes over a connection of another name: a server that has not let go of "
        "the old one may give it the answers.",
        "soak: three of four conversations got no answer any more, for as long as it was looked at",
    ),
    "faults:network:greeted-again": Behaviour(
        "A kernel at rest that does not answer over a new connection is asked over another one, before "
        "anybody is told that it does not start.",
        "soak: a minute each",
    ),
    "faults:network:answer-waits": Behaviour(
        "What a person answers while the way is cut reaches the program when it is there again.", "R10"
    ),
    "faults:network:stopped-half-open": Behaviour(
        "Stop over a connection that leads nowhere costs no variables.", "safety 3.1: half-open"
    ),
    "faults:network:reply-lost": Behaviour(
        "Where the reply was lost on the way, the result says so and that the cell runs no more.",
        "decision 4: never success because nothing arrived",
    ),
    "faults:network:error-kept": Behaviour(
        "An error that came before the reply was lost is the cell's end.", "decision 4"
    ),
    "faults:network:taken": Behaviour(
        "A kernel that somebody deletes or restarts while the connection is cut is noticed, and told.",
        "kernel facts: server killed; decision 4",
    ),
    "faults:network:deadline": Behaviour(
        "The deadline goes on while the connection is cut, and nothing is claimed then that nobody knows.",
        "decision 4; O12",
    ),
    "faults:network:given-up": Behaviour(
        "A way that is not found again is given up, in the server's own words where it has some; when it is "
        "there again, the next cell goes over it at once.",
        "safety 3.2",
    ),
    "faults:network:told": Behaviour(
        "While the connection to a kernel that runs a cell is lost, its status says so, until it is found "
        "again.",
        "a server that was killed while a cell ran: the page said Running for half a minute, nothing else",
    ),
    "faults:network:cut-as-it-opens": Behaviour(
        "A cell is not sent over a way that was cut while its kernel was being prepared: it did not run.",
        "a server that was killed just then: the cell ran for two minutes, and nobody knew what became of it",
    ),
    "faults:network:asleep": Behaviour(
        "After a sleep the way is looked at before a cell is sent over it.", "plan: laptop sleep"
    ),
    "faults:network:idle": Behaviour(
        "A connection that is cut between two cells is opened again, and the kernel is the same.",
        "kernel facts: reconnect",
    ),
    "faults:network:idle-restarted": Behaviour(
        "A kernel that was restarted between two cells is noticed, and told with the next result.",
        "decision 4",
    ),
    "faults:network:slow": Behaviour(
        "A slow network is no fault: a large message on its way counts as a sign of life.", "safety 3.2"
    ),
    "faults:ledger:early": Behaviour(
        "A program that says for its kernel that it is at rest does not end its cell.", "safety: T5"
    ),
    "faults:ledger:whole": Behaviour(
        "That no message of a cell is missing is known from their numbers.", "jupyter_client: Session.msg_id"
    ),
    "faults:kernel:told": Behaviour(
        "Whatever a program does to itself or its kernel ends within its bound and is told truly, with what "
        "it showed before; variables are kept where the kernel is; the next block works.",
        "safety 3.1; decision 4; M3, O12, O13, O30, R18",
    ),
    "faults:kernel:no-reply": Behaviour(
        "A kernel that is idle but never replies counts as dead.", "kernel facts: ending a cell"
    ),
    "faults:kernel:taken": Behaviour(
        "A kernel that somebody deletes or restarts ends the cell.", "kernel facts: ending a cell"
    ),
    "faults:kernel:unheard": Behaviour(
        "Of a kernel that its server no longer has nothing is said while its connection may still tell why.",
        "decision 4: nothing is claimed that nobody knows",
    ),
    "faults:kernel:culled": Behaviour(
        "A kernel that was culled is replaced before the next cell, which says so.", "safety 3.1: culled"
    ),
    "faults:kernel:crash-loop": Behaviour(
        "A kernel that dies again and again is replaced each time.", "safety 3.1: crash loop; O31, R19"
    ),
    "faults:kernel:heir": Behaviour(
        "A cell that reached a server after its kernel died runs once, in the process in its place, and is "
        "told that variables are gone.",
        "decision 4: it was told that the kernel died, and the cell ran all the same",
    ),
    "faults:server:killed": Behaviour(
        "A server that ends while a cell runs is told, and then that nothing answers there.", "safety 3.1"
    ),
    "faults:server:back": Behaviour(
        "A server that comes back at its address without our kernel is told, and gives another.",
        "safety 3.1: server SIGKILL",
    ),
    "faults:server:silent": Behaviour(
        "A server that takes connections and answers none is given up, and found again when it answers.",
        "safety 3.1: server SIGSTOP",
    ),
    "faults:output:rate": Behaviour(
        "Output that the server drops is said, with the setting that mends it.", "safety, finding 5"
    ),
    "faults:output:bounded": Behaviour(
        "What a program shows takes bounded memory, and what is left out is counted.", "safety 3.3"
    ),
    "faults:output:counted": Behaviour(
        "Of very many lines each is shown or counted as left out.", "safety 4: figures"
    ),
    "faults:output:strange": Behaviour(
        "Escapes, forged messages and clearing without end end no cell.", "safety 3.3"
    ),
    "faults:lifecycle:told": Behaviour(
        "Two tabs, Stop, a reload, a page that leaves, Regenerate, an edit, a branch, a deletion and a crash "
        "while a block runs: it ends once, reader and model read how, and the next block works.",
        "safety 3.5",
    ),
    "faults:lifecycle:random": Behaviour(
        "Whatever people, the model, the network, the kernel and the machine do to a chat, in any order: no "
        "block runs twice, what is said of each is true, no variable is lost without a word, and the next "
        "message works.",
        "safety 4: stateful",
    ),
    "faults:chaos:accounted": Behaviour(
        "Whatever the network does, each line is shown or marked as missing, and nothing runs twice.",
        "safety 4: chaos proxy, figures",
    ),
    "faults:shortage:start": Behaviour(
        "Where the machine has no file, thread or process left for one kernel more, the block is refused "
        "with a sentence; the others work on, nothing is left over, and the next one starts as ever.",
        "many kernels on one machine",
    ),
    "faults:clock:leaps": Behaviour(
        "A clock that leaps by a day changes no deadline, no duration and no kernel.", "monotonic time"
    ),
    "faults:shortage:memory": Behaviour(
        "A forked kernel that takes too much memory is ended; its template and the others live.",
        "many kernels on one machine",
    ),
    "faults:shortage:hangs": Behaviour(
        "In place of a forked kernel that does not answer, another one is started, and the block runs.",
        "many kernels on one machine",
    ),
}
