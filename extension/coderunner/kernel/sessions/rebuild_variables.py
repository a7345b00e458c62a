"""Brings the variables of a conversation back: a restarted kernel runs its successful blocks again."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from coderunner.ending_sentences import refused_for_people
from coderunner.kernel.sessions.session import Session
from coderunner.outputs import Error, Refusal, Result, Status, Stream

# IPython's own list of what a person has defined.
DIGEST = """\
def __coderunner__():
    shell = get_ipython()
    names = shell.run_line_magic("who_ls", "")
    print(", ".join(f"{name} ({type(shell.user_ns[name]).__name__})" for name in names))
__coderunner__(); del __coderunner__
"""
AGAIN = "Run it again to allow that."
ONE_AGAIN = "Run one of them again to allow that."
"""What a person can do about what the sandbox refused: the button stands below a run of that block alone."""
MOST_REFUSED = 4
"""What was refused is told of so many blocks, and of more only how many: nobody reads a longer list."""
MOST = 500
"""Characters of the list of variables: it is for orientation."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The outcome."""

    ran: int
    """The blocks that ran well again."""
    blocks: int
    failure: Result | None = None
    """What came of the one that did not: those after it have not run."""
    refused: Sequence[tuple[int, tuple[Refusal, ...]]] = ()
    """What the sandbox refused to which of them, the first block being 1: also to blocks that ran well."""
    holds: str = ""
    """The variables that there are now, with their types."""
    listed: bool = True
    """It is known which: not every kernel lists them."""

    @property
    def words(self) -> str:
        """It in a sentence or two, for the reader and the model."""
        blocks = f"{self.blocks} block{'s' if self.blocks != 1 else ''}"
        told = f"all {blocks}" if self.failure is None else f"{self.ran} of {blocks}"
        failed = "" if self.failure is None else f", then one failed ({_why(self.failure)})"
        holds = f"Its variables now: {self.holds}." if self.holds else "It has no variables now."
        holds = holds if self.listed else ""
        reran = f"The kernel was restarted and reran {told} of this conversation{failed}."
        return " ".join(filter(None, (reran, *_refused(self.refused), holds)))


async def rebuild(
    session: Session,
    blocks: Sequence[Callable[[], Awaitable[Result]]],
    *,
    deadline: float,
    attached: str = "",
) -> Rebuilt:
    """Restart the kernel and run `blocks` in it, in their order, up to the first that fails.

    A person has to want that: what the blocks did outside of the kernel, they do again. Each is a call that
    runs one; `deadline` is for the list of what there is then. `attached` names the kernel, where it is a
    person's own and they have agreed; raises NotAgreed.
    """
    await session.restart(attached=attached)
    ran, failure = 0, None
    refused: list[tuple[int, tuple[Refusal, ...]]] = []
    for block in blocks:
        result = await block()
        if result.refusals:
            refused.append((ran + 1, result.refusals))
        if result.status is not Status.OK:
            failure = result
            break
        ran += 1
    listed = session.lists_variables
    holds = _holds(await session.execute(DIGEST, deadline=deadline)) if listed else ""
    return Rebuilt(ran, len(blocks), failure, refused, holds, listed)


def _refused(every: Sequence[tuple[int, tuple[Refusal, ...]]]) -> Iterator[str]:
    """What was refused, once for all blocks that it was refused to."""
    blocks: dict[tuple[Refusal, ...], list[int]] = {}
    for number, refusals in every:
        blocks.setdefault(refusals, []).append(number)
    for refusals, numbers in list(blocks.items())[:MOST_REFUSED]:
        *first, last = map(str, numbers)
        which = f"Blocks {', '.join(first)} and {last}" if first else f"Block {last}"
        yield refused_for_people(refusals, which, ONE_AGAIN if first else AGAIN)
    if untold := sum(map(len, list(blocks.values())[MOST_REFUSED:])):
        yield f"{untold} more {'block was' if untold == 1 else 'blocks were'} refused something."


def _holds(digest: Result) -> str:
    printed = "".join(output.text for output in digest.outputs if isinstance(output, Stream))
    names = printed.strip() if digest.status is Status.OK else ""
    return names if len(names) <= MOST else f"{names[:MOST].rpartition(', ')[0]}, …"


def _why(result: Result) -> str:
    errors = [f"{output.ename}: {output.evalue}" for output in result.outputs if isinstance(output, Error)]
    return errors[-1][:MOST] if errors else result.detail or str(result.status)
