"""Random lives of a chat: nothing runs twice, and what is said of a block is true."""

import os

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from coderunner.kernel.sessions.registry import Server
from tests.behaviours import behaviour
from tests.faults.machine import Life
from tests.faults.teller import Teller
from tests.hosts.app.browsing import served

LIVES = int(os.environ.get("CODERUNNER_TEST_LIVES", "0"))
"""How many random lives to try in place of the few that are always the same."""


@behaviour("faults:lifecycle:random")
def test_random_lives_of_a_chat(there: Server) -> None:
    teller = Teller()
    few = settings(
        max_examples=LIVES or 5,
        stateful_step_count=12,
        derandomize=not LIVES,
        database=None,
        # To make a life shorter it would be lived a hundred times.
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with served(lambda: teller) as model:
        run_state_machine_as_test(lambda: Life(teller, model, there), settings=few)  # type: ignore[arg-type]
