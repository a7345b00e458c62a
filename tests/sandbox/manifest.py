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
}
