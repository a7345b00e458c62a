"""What is said of the way a cell or a reply ended: a table each, for the model and the person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coderunner.outputs import Aftermath, Refusal, Remedy, Status

_KEPT = "variables are kept"
_LOST = "variables are gone"
_CUT = "the connection was lost"
_NOT_RUN = "not run"

NOT_STARTED = "it had not started"
"""The detail of a cell that was stopped before it was sent."""

OTHER_FILES = "the kernel works in a folder of this chat; ../.. has the person's own files"
"""The detail of a cell that did not find a file there, as a model reads it."""

SENTENCES: Mapping[tuple[Status, Aftermath], str] = {
    (Status.TIMEOUT, Aftermath.READY): f"stopped at the time limit; {_KEPT}",
    (Status.TIMEOUT, Aftermath.BUSY): "still running in the background; its result will follow",
    (Status.TIMEOUT, Aftermath.FRESH): f"stopped at the time limit; the kernel was restarted, {_LOST}",
    (Status.INTERRUPTED, Aftermath.READY): f"stopped; {_KEPT}",
    (Status.INTERRUPTED, Aftermath.BUSY): "asked to stop, but still running",
    (Status.INTERRUPTED, Aftermath.FRESH): f"stopped; the kernel was restarted, {_LOST}",
    (Status.ABORTED, Aftermath.READY): "not run: an earlier block failed or was stopped",
    (Status.ABORTED, Aftermath.BUSY): "not run: the kernel is busy with another block",
    (Status.ABORTED, Aftermath.FRESH): f"not run; the kernel was restarted, {_LOST}",
    (Status.DIED, Aftermath.READY): "the kernel died while the code ran",
    (Status.DIED, Aftermath.BUSY): "the kernel died while the code ran and could not be restarted",
    (Status.DIED, Aftermath.FRESH): f"the kernel died while the code ran; {_LOST}",
    (Status.REPLACED, Aftermath.READY): "the kernel was restarted while the code ran",
    (Status.REPLACED, Aftermath.BUSY): "the kernel was shut down while the code ran",
    (Status.REPLACED, Aftermath.FRESH): f"the kernel was restarted or shut down while the code ran; {_LOST}",
    (Status.LOST, Aftermath.READY): f"{_CUT}; it is unknown whether the code finished",
    (Status.LOST, Aftermath.BUSY): f"{_CUT}; the code may still be running",
    (Status.LOST, Aftermath.FRESH): f"{_CUT}; the server no longer has the kernel, {_LOST}",
    (Status.REFUSED, Aftermath.READY): "not run: no kernel is available",
    (Status.REFUSED, Aftermath.BUSY): "not run: the kernel is busy with an earlier block",
    (Status.REFUSED, Aftermath.FRESH): "not run: the kernel did not start",
    (Status.UNRECORDED, Aftermath.READY): "not run: the run could not be recorded",
    (Status.UNRECORDED, Aftermath.BUSY): "not run: the run could not be recorded",
    (Status.UNRECORDED, Aftermath.FRESH): "not run: the run could not be recorded",
    (Status.DECLINED, Aftermath.READY): "not run: it was declined",
    (Status.DECLINED, Aftermath.BUSY): "not run: it was declined",
    (Status.DECLINED, Aftermath.FRESH): "not run: it was declined",
    (Status.UNRUN, Aftermath.READY): "not run: it was not run in the notebook",
    (Status.UNRUN, Aftermath.BUSY): "not run: it was not run in the notebook",
    (Status.UNRUN, Aftermath.FRESH): "not run: it was not run in the notebook",
    (Status.UNFIT, Aftermath.READY): _NOT_RUN,
    (Status.UNFIT, Aftermath.BUSY): _NOT_RUN,
    (Status.UNFIT, Aftermath.FRESH): _NOT_RUN,
}
"""What stands before the first colon or semicolon says it in short; `Result.detail` adds to it."""


_FAULTS = ("coderunner ", "an error in coderunner ", "we were ", "its record ", "another process ")
"""How details begin that say why an end is not known, though no connection was lost."""


def how_it_ended(status: Status, aftermath: Aftermath, detail: str = "") -> str:
    """What is said of an end; empty where the outputs say it: the program ended by itself, well or not.

    `detail`: what will be said behind it.
    """
    if status is Status.DECLINED and detail:  # no person did
        return _NOT_RUN
    said = SENTENCES.get((status, aftermath), "")
    if _LOST in detail or detail.startswith(NOT_STARTED):
        said = said.removesuffix(f"; {_KEPT}")  # there are none, or none that it could have changed
    ours = status is Status.LOST and detail.lower().startswith(_FAULTS)
    return said.removeprefix(f"{_CUT}; ") if ours else said


def with_details(said: str, *details: str) -> str:
    """An end with what is said behind it; empty where there is neither."""
    behind = "; ".join(filter(None, details))
    return f"{said}: {behind}" if said == _NOT_RUN and behind else "; ".join(filter(None, (said, behind)))


def for_the_person(detail: str) -> str:
    """A detail in words for the person whose files it speaks of."""
    return detail.replace(OTHER_FILES, OTHER_FILES.replace("the person's own", "your own"))


@dataclass(frozen=True, slots=True)
class _Remedy:
    """What is said of one remedy: of one refusal, and of several together."""

    one: str = ""
    several: str = ""


_SOCKETS = "In this sandbox, programs reach each other over Unix sockets and pipes alone."
_INSIDE = (
    "In this sandbox, a folder with programs or secrets in it neither takes new files nor gives any away; "
    "the folders in it do."
)

_FOR_MODELS: Mapping[Remedy, _Remedy] = {
    Remedy.BUTTON: _Remedy(
        "The user can allow it with the button below this block.",
        "The user can allow each with a button below this block.",
    ),
    Remedy.FORM: _Remedy(
        "The user can allow it by hand, under “What code may reach”.",
        "The user can allow them by hand, under “What code may reach”.",
    ),
    Remedy.SETTING: _Remedy(
        "It can be allowed with the setting {settings}.", "They can be allowed with the setting {settings}."
    ),
    Remedy.NOTHING: _Remedy(
        "It is not offered, because secrets or programs may lie there or beside it.",
        "They are not offered, because secrets or programs may lie there or beside it.",
    ),
    Remedy.SOCKETS: _Remedy(*2 * (_SOCKETS,)),
    Remedy.LINK: _Remedy(),
    Remedy.INSIDE: _Remedy(*2 * (_INSIDE,)),
    Remedy.APART: _Remedy(*2 * ("Code in the sandbox reaches no other program of this machine.",)),
    Remedy.PROXY: _Remedy(*2 * ("Use a library that heeds HTTPS_PROXY, such as requests.",)),
    Remedy.INSTALL: _Remedy(*2 * ("The user can install it with the button below this block.",)),
    Remedy.PACKAGES: _Remedy(
        *2 * ("Neither CodeRunner nor pip installs what is missing unless {settings} = auto is set.",)
    ),
}
OF_CODE = (Remedy.SOCKETS, Remedy.LINK, Remedy.INSIDE, Remedy.PROXY, Remedy.INSTALL, Remedy.PACKAGES)
"""What code can do itself, or do without."""
GIVE_UP = "Do not try another way."
"""What a model reads of everything that only people can allow."""


def what_was_refused(refusals: Sequence[Refusal], *, button: str = "") -> str:
    """What the sandbox refused, for the model: each in a sentence, those that one remedy helps together.

    `button`: what is said in place of the button that a host without a page does not have.
    """
    theirs = [_together(refusals, remedy, button) for remedy in Remedy if remedy not in OF_CODE]
    told = [*filter(None, theirs), *(each.others for each in refusals if each.more)]
    give_up = GIVE_UP if any(theirs) else ""
    return " ".join(filter(None, (*told, give_up, *(_together(refusals, remedy) for remedy in OF_CODE))))


def _together(refusals: Sequence[Refusal], remedy: Remedy, button: str = "") -> str:
    those = [each for each in refusals if each.remedy is remedy]
    sentences = dict.fromkeys(each.sentence for each in those)
    advised = _Remedy(button, button) if button and remedy is Remedy.BUTTON else _FOR_MODELS[remedy]
    return " ".join(filter(None, (*sentences, _advice(those, advised))))


_INSTALLED = (
    "CodeRunner installs what is missing only where {settings} = auto is set, with --packages auto or in the "
    "settings file."
)

_FOR_PEOPLE: Mapping[Remedy, _Remedy] = {
    Remedy.BUTTON: _Remedy(),
    Remedy.FORM: _Remedy(*2 * ("If you mean it, allow it by hand, under “What code may reach”.",)),
    Remedy.SETTING: _FOR_MODELS[Remedy.SETTING],
    Remedy.NOTHING: _Remedy(
        *2 * ("Secrets or programs may lie there or beside it; see the setting {settings}.",)
    ),
    Remedy.SOCKETS: _Remedy(*2 * (_SOCKETS,)),
    Remedy.LINK: _Remedy(),
    Remedy.INSIDE: _Remedy(*2 * (_INSIDE,)),
    Remedy.APART: _Remedy(
        *2 * ("Code in the sandbox reaches no other program of this machine; see the setting {settings}.",)
    ),
    Remedy.PROXY: _FOR_MODELS[Remedy.PROXY],
    Remedy.INSTALL: _Remedy(),
    Remedy.PACKAGES: _Remedy(*2 * (_INSTALLED,)),
}


def advice(refusals: Sequence[Refusal], remedy: Remedy) -> str:
    """What a person can do about those that have this remedy; empty where a button says it."""
    return _advice([each for each in refusals if each.remedy is remedy], _FOR_PEOPLE[remedy])


def _advice(refusals: Sequence[Refusal], remedy: _Remedy) -> str:
    settings = list(dict.fromkeys(each.setting for each in refusals))
    if not settings:
        return ""
    told = remedy.one if len(dict.fromkeys(each.sentence for each in refusals)) == 1 else remedy.several
    if len(settings) > 1:
        told = told.replace("the setting ", "the settings ")
    return told.format(settings=f"{', '.join(settings[:-1])} and {settings[-1]}".removeprefix(" and "))


def refused_for_people(refusals: Sequence[Refusal], subject: str, button: str = "") -> str:
    """What the sandbox refused to `subject`, each in a sentence, with what a person can do.

    `button`: how they come to the button, if there is one.
    """
    told: list[str] = []
    for remedy in Remedy:
        those = [each for each in refusals if each.remedy is remedy]
        told += dict.fromkeys(each.said_of(subject) for each in those)
        told.append(button if those and remedy is Remedy.BUTTON else advice(those, remedy))
    return " ".join(filter(None, (*told, *(each.others for each in refusals))))


REPLIES: Mapping[str, str] = {
    "length": "The model reached its token limit, so the reply is cut off.",
    "content_filter": "The endpoint's content filter ended the reply.",
    "tool_calls": "The model called a tool that does not exist; nothing was run.",
    "function_call": "The model called a tool that does not exist; nothing was run.",
    "stopped": "Stopped.",
    "left": "Stopped because no page was open.",
    "ended": "CodeRunner stopped while this reply was being written.",
}
"""By OpenAI's `finish_reason`, and by three of our own: a person pressed Stop, every page was closed, or the
program in which the reply was written ended."""

COMPLETE = frozenset({"stop", "eos", "end_turn", "stop_sequence", "end", ""})
"""Reasons that mean a complete reply, as servers spell them; "" where nobody gave one."""


def how_a_reply_ended(reason: str, *, empty: bool) -> str:
    """What is said below a reply that ended for `reason`, in one sentence; nothing below a complete one.

    `empty`: it holds nothing that a person could read.
    """
    if reason in COMPLETE:
        return "The model wrote no answer." if empty else ""
    said = REPLIES.get(reason, f"The endpoint ended the reply: {reason[:80]}.")
    return said.replace("Stopped.", "Stopped before the first word.") if empty else said
