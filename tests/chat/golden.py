"""Results recorded from a real kernel, and the texts that a model is given for them."""

import json
from pathlib import Path
from typing import Any

from coderunner.outputs import Aftermath, DisplayData, Error, ExecuteResult, Output, Result, Status, Stream

RESULTS = Path(__file__).parent.parent / "corpora" / "results"
STOPS = ("\nYou:", "\nAI:", "<|im_end|>")


BUILT = {
    "lines-100-000": Result((Stream("stdout", "".join(f"line {n}\n" for n in range(100_000))),)),
    "line-5-mb": Result((Stream("stdout", "0123456789" * 500_000),)),
    "progress-5-mb": Result((Stream("stderr", "".join(f"\r{n:7} of 500000" for n in range(250_000))),)),
    "timeout-after-prints": Result(
        (Stream("stdout", "1\n"), Error("KeyboardInterrupt", "")), Status.TIMEOUT, detail="the limit is 30 s"
    ),
    "died": Result((), Status.DIED, Aftermath.FRESH),
    "lost-after-prints": Result((Stream("stdout", "1\n2\n"),), Status.LOST),
}
"""Results too large to be kept, and ends that are hard to record."""


def names() -> list[str]:
    return sorted(path.stem for path in RESULTS.glob("*.json"))


def load(name: str) -> Result:
    if name in BUILT:
        return BUILT[name]
    end, *shown = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["shown"]
    return Result(tuple(map(_output, shown)), Status(end["status"]), execution_count=end["count"])


def _output(shown: dict[str, Any]) -> Output:
    match shown["output_type"]:
        case "stream":
            return Stream(shown["name"], shown["text"])
        case "display_data":
            return DisplayData(shown["data"])
        case "execute_result":
            return ExecuteResult(shown["data"], execution_count=shown["execution_count"])
        case kind:
            assert kind == "error"
            return Error(shown["ename"], shown["evalue"], tuple(shown["traceback"]))
