"""What the sandbox promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "sandbox:policy:reach": Behaviour(
        "A kernel may read what programs need, its own folders and what was granted; it may write its own "
        "folders and what was granted for writing.",
        "safety, T1: host files stay out of reach",
    ),
    "sandbox:settings:grants": Behaviour(
        "Folders and domains are granted by settings; one that cannot be meant is refused in a sentence.",
        "decision 12: bad input gets one clear sentence",
    ),
    "sandbox:granted:conversation": Behaviour(
        "What a person grants to one conversation holds for that one alone, until it is taken back.",
        "safety: grants instead of walls",
    ),
    "sandbox:granted:file": Behaviour(
        "Grants are kept for later processes, in a file that only its owner can read.",
        "decision 3: reloads and restarts change nothing",
    ),
    "sandbox:granted:trouble": Behaviour(
        "A file of grants that is damaged grants nothing and is set aside; nothing is lost without a word.",
        "decision 12: bad input gets one clear sentence",
    ),
}
