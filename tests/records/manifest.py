"""What the records room promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "records:states:table": Behaviour(
        "A run goes from state to state as the table says; every other transition is refused.", "safety 5.2"
    ),
    "records:states:verdict": Behaviour(
        "What was sent is never sent again, and what was not sent may be.", "design 3: exactly once"
    ),
    "records:outputs:exact": Behaviour(
        "An output is read as it was written, of whatever kind and size.", "design 3: show the record"
    ),
    "records:outputs:live": Behaviour(
        "What a run shows is written while it runs, changes and clearings included.", "safety 3.5: reload"
    ),
    "records:outputs:later": Behaviour(
        "What a run shows after its end is kept, apart from its result.", "kernel facts: output"
    ),
    "records:outputs:held": Behaviour(
        "What is told of a run after its end is written, though whoever told it has gone at once.",
        "widgets of an imported notebook were lost where the end was written first",
    ),
    "records:outputs:once": Behaviour(
        "A large output that many runs show is kept once, and not longer than one of them.", "rich output"
    ),
    "records:outputs:modules": Behaviour(
        "The programs that draw widgets are kept with their runs, each of them once.", "rich output 1"
    ),
    "records:outputs:bounded": Behaviour(
        "An output beyond all bounds is replaced by a sentence that says so.", "safety 3.3"
    ),
    "records:claim:one": Behaviour(
        "Of all who claim a block, in any thread and any process, one may run it.", "safety 3.5: two tabs"
    ),
    "records:claim:others": Behaviour(
        "Who may not run a block gets what came of it, as soon as that is known.", "safety 3.5: two tabs"
    ),
    "records:claim:given-up": Behaviour(
        "Who waits no more for a run that another process has in hand costs nothing any more.",
        "decision 3: two replicas",
    ),
    "records:claim:other-code": Behaviour(
        "Other code, another place in the reply and another reply are another run.", "design 3: exactly once"
    ),
    "records:claim:again": Behaviour("A person may have a block run once more.", "design 3: a button"),
    "records:claim:unsent": Behaviour(
        "A run that was never sent did not run: it can be claimed anew.", "design 3: exactly once"
    ),
    "records:crash:lost": Behaviour(
        "A run whose process is gone is lost, with what it showed; this is found once.",
        "safety 3.5: host crash",
    ),
    "records:crash:killed": Behaviour(
        "After kill -9 in the middle of a cell, the next process finds it lost and does not run it.",
        "safety 3.5: host crash",
    ),
    "records:crash:fenced": Behaviour(
        "Who was taken for dead sends nothing that somebody else has taken over.", "design 3: exactly once"
    ),
    "records:crash:owners": Behaviour(
        "A process here is looked up; one elsewhere is gone when its heartbeat rests for a whole lease.",
        "safety 3.2: clock jump",
    ),
    "records:histories": Behaviour(
        "Whatever claims, crashes, restarts and repeats come together: nothing runs twice, nothing is told "
        "that did not run.",
        "safety 4: figures",
    ),
    "records:responses": Behaviour(
        "A response is kept for its owner alone, in every process, until it is deleted or too old.",
        "docs/hosts/proxy.md, the Responses API",
    ),
    "records:retention": Behaviour(
        "After so many days a run that is over is deleted, with what only it showed.", "README, settings"
    ),
    "records:database:private": Behaviour(
        "The file of records and what SQLite lays beside it are their owner's alone, from the start.",
        "safety 5",
    ),
    "records:database:migrated": Behaviour(
        "The tables of every earlier version are brought up to date with all their rows.", "CONTRIBUTING"
    ),
    "records:chats:exact": Behaviour(
        "A conversation is read as it was written, its blocks with their runs.", "safety 3.5: host crash"
    ),
    "records:chats:grows": Behaviour(
        "Of a conversation that grows, changes or shrinks only what differs is written.", "performance"
    ),
    "records:chats:versions": Behaviour(
        "Of a conversation one path is shown; what it was instead is kept beside it, each message once.",
        "what users of chat pages ask for",
    ),
    "records:chats:once": Behaviour("No word of a reply is kept twice.", "records: what is kept"),
    "records:chats:replicas": Behaviour(
        "Two processes may write in one conversation: the last word counts, nothing is held up, and the "
        "memory that it takes is bounded.",
        "decision 3: two replicas",
    ),
    "records:chats:listed": Behaviour(
        "Conversations are listed the newest first, by their first words or the name that somebody gave.",
        "what users of chat pages ask for",
    ),
    "records:chats:pinned": Behaviour(
        "A conversation that is pinned comes before the newest ones.", "what users of chat pages ask for"
    ),
    "records:chats:many": Behaviour(
        "Of many conversations the first are read, their number and the one that a page shows; not the rest.",
        "measured: 10,000 of them took 60 ms, once a second for each page",
    ),
    "records:chats:search": Behaviour(
        "A search finds all its words, in titles and in what was said, of any alphabet and case.",
        "what users of chat pages ask for",
    ),
    "records:chats:persons": Behaviour(
        "Nobody sees, finds, names or deletes another person's conversation.", "safety: T5"
    ),
    "records:chats:deleted": Behaviour(
        "A conversation that is deleted is gone from the file with its runs and outputs, and stays gone.",
        "what users of chat pages ask for",
    ),
    "records:late:once": Behaviour(
        "The end of a run that the model was not told is told once, whichever process asks for it.",
        "design 5: by itself",
    ),
    "records:late:left": Behaviour(
        "Who asks for a run whose reply was left waits for its end, as long as that reply would have.",
        "seen: a block was told as running after its end",
    ),
    "records:late:lives": Behaviour(
        "What a process that lives will tell by itself is not told by another.", "design 5: by itself"
    ),
    "records:database:newer": Behaviour(
        "Tables of a later version are left alone, with a sentence.", "CONTRIBUTING"
    ),
    "records:database:sentence": Behaviour(
        "What is wrong with a database is said in one sentence, without the password.", "safety 4.10"
    ),
    "records:database:memory": Behaviour(
        "Without a database runs are kept in memory, and the log says so once.", "README"
    ),
    "records:unfit:alone": Behaviour(
        "What can never be written holds up nothing else, and the run says truthfully how it ended.",
        "nothing vanishes",
    ),
    "records:unfit:names": Behaviour(
        "A conversation and a reply may be called anything, of any length, and are told apart.",
        "names come from clients",
    ),
    "records:postgresql:sentence": Behaviour(
        "What is wrong with a PostgreSQL server or with our way to it is one sentence that says what to do, "
        "without a password.",
        "docs/postgresql.md",
    ),
    "records:postgresql:url": Behaviour(
        "Each way in which people write the URL works; where it names another driver, a sentence says so.",
        "docs/postgresql.md",
    ),
    "records:postgresql:tls": Behaviour(
        "The parameters of TLS are libpq's, and what fails is said.", "docs/postgresql.md"
    ),
    "records:postgresql:driver": Behaviour(
        "Where psycopg is not installed, one sentence gives the command.", "docs/postgresql.md"
    ),
    "records:postgresql:password": Behaviour(
        "The password may be in the URL, in PGPASSWORD or in libpq's password file.", "docs/postgresql.md"
    ),
    "records:postgresql:away": Behaviour(
        "While the server is away, from the start on or later, nothing runs, which is said; once it is back, "
        "which is said too, nothing is missing and nothing has run twice.",
        "design 3: nothing lost",
    ),
    "records:postgresql:restart": Behaviour(
        "A server that was started anew, or connections cut while they were idle, are noticed by nobody.",
        "docs/postgresql.md",
    ),
    "records:postgresql:answer-lost": Behaviour(
        "Where the server did what it was told and its answer was lost, a block runs once, and none "
        "waits for a run that nobody has in hand.",
        "design 3: exactly once",
    ),
    "records:postgresql:removed": Behaviour(
        "Tables that are removed while we run are made anew, with what goes on, and that is said.",
        "nothing vanishes",
    ),
    "records:postgresql:limits": Behaviour(
        "No transaction waits for others, or lets them wait, without a bound; the server's own bounds count.",
        "docs/postgresql.md",
    ),
    "records:postgresql:pool": Behaviour(
        "A process opens at most as many connections as its pool has; that all are busy is said.",
        "docs/postgresql.md",
    ),
    "records:postgresql:claims": Behaviour(
        "Whatever transactions come together, and whatever the server's isolation is: a block runs once, and "
        "a conversation is as one of its writers left it.",
        "design 3: exactly once",
    ),
    "records:postgresql:pooler": Behaviour(
        "PgBouncer may give each transaction another connection; what it does not pass on is told.",
        "docs/postgresql.md",
    ),
    "records:postgresql:migrated": Behaviour(
        "Of several processes that start at once on older tables one migrates, and those that write go on.",
        "docs/postgresql.md",
    ),
    "records:unfit:said": Behaviour(
        "A row that no database takes is told apart from a database that is away.", "nothing vanishes"
    ),
    "records:database:full": Behaviour(
        "Where the database is full, locked or read-only, nothing runs, which is said; once it is not, all "
        "goes on and nothing of what ran is missing.",
        "nothing vanishes",
    ),
    "records:database:closes": Behaviour(
        "A database that takes nothing holds up the end of the program once, however much is left.",
        "safety 3.5: host crash",
    ),
    "records:database:removed": Behaviour(
        "A file of records that is removed while we run is made anew, with what goes on, and that is said.",
        "nothing vanishes",
    ),
    "records:database:away": Behaviour(
        "What a database cannot take now is written when it is back.", "design 3: nothing lost"
    ),
    "records:files": Behaviour(
        "The files that a run made or changed are kept with it.",
        "decision 3: reloads and restarts change nothing",
    ),
    "records:refusals": Behaviour(
        "What the sandbox refused to a run is kept with it.",
        "decision 3: reloads and restarts change nothing",
    ),
    "records:chats:attached": Behaviour(
        "The files that a person sent with a message are kept with it, named in its title and in a notebook.",
        "a message may be only files",
    ),
}
