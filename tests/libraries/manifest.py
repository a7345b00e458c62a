"""What is promised of the libraries that people use."""

from tests.behaviours import Behaviour

SOURCE = "what the libraries themselves show; docs/libraries.md"

BEHAVIOURS = {
    "libraries:shown": Behaviour(
        "What a library displays is shown live, after a reload and in the dark theme, or the page says why "
        "not; nothing is asked of anybody else.",
        SOURCE,
    ),
    "libraries:named": Behaviour(
        "Each display that is tried has a name, and says what is to be seen of it.", SOURCE
    ),
    "libraries:table": Behaviour(
        "docs/libraries.md has a row for each display and version that is tried, with what is seen of it.",
        SOURCE,
    ),
    "libraries:explained": Behaviour("What is not shown is explained in docs/libraries.md.", SOURCE),
    "libraries:pinned": Behaviour(
        "The libraries that are tried have fixed versions, and each is tried.", SOURCE
    ),
}
