"""What is noted of a request for metrics and logs: names, counts and times, nothing of its content. Pure."""

from collections.abc import MutableMapping
from dataclasses import dataclass

FACTS = "coderunner.facts"
"""The key of the facts in a request's scope."""

LONGEST = 100
"""Characters of a model's name in a log: clients choose it."""


@dataclass(slots=True)
class RequestFacts:
    """What becomes known of a request while it is answered."""

    route: str = "refused"
    """One of a few names; a path is never one, since clients choose it."""
    user: str = ""
    """The member's name; empty: nobody with a valid key."""
    conversation: str = ""
    """Its name for kernel and records, which holds nothing of the client's."""
    model: str = ""
    blocks: int = 0
    """Blocks that ran for it."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    """Some of the tokens are an estimate, because the endpoint did not count them."""
    limit: str = ""
    """The kind of the limit that was met."""
    resumed: bool = False
    """It is a retry, and follows a reply that had begun."""
    error: str = ""
    """The kind of the failure."""


def facts_of(scope: MutableMapping[str, object]) -> RequestFacts:
    """The facts of a request."""
    facts = scope.setdefault(FACTS, RequestFacts())
    return facts if isinstance(facts, RequestFacts) else RequestFacts()


def shown_model(name: str) -> str:
    """A model's name as a log has it."""
    return "".join(each if each.isprintable() else "?" for each in name[:LONGEST])
