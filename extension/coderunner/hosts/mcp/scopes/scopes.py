"""The scopes, and what each tool needs. Pure."""

from collections.abc import Collection, Mapping, Sequence

from coderunner.text import json_reader

READ, RUN, ATTACH = "read", "run", "attach"
SCOPES = (READ, RUN, ATTACH)
READING = frozenset({"list_sessions", "variables", "files", "download"})
"""The tools that only read; all others run code, change something, or end it."""
APART = frozenset({"list_sessions"})
"""The tools that reach no kernel."""
RESOURCES = frozenset({"resources/list", "resources/read", "resources/subscribe"})
MISSING = (
    "this client may not use {what}: it has no scope {scopes}; whoever runs the server or issues its tokens "
    "can give it one"
)

Scopes = frozenset[str]
ALL: Scopes = frozenset(SCOPES)


def needed(tool: str, *, attached: bool) -> Scopes:
    """The scopes that a call of a tool needs; `attached`: kernels are a person's own."""
    own = {ATTACH} if attached and tool not in APART else set()
    return frozenset({READ if tool in READING else RUN, *own})


def of_resources(*, attached: bool) -> Scopes:
    """The scopes that reading files and outputs as resources needs."""
    return frozenset({READ, ATTACH} if attached else {READ})


def of_message(message: object, *, attached: bool) -> Scopes:
    """The scopes that a JSON-RPC message needs."""
    if not isinstance(message, Mapping):
        return frozenset()
    params = message.get("params")
    its = params if isinstance(params, Mapping) else {}
    if message.get("method") == "tools/call":
        return needed(str(its.get("name")), attached=attached)
    reads = message.get("method") in RESOURCES and not str(its.get("uri") or "").startswith("ui://")
    return of_resources(attached=attached) if reads else frozenset()


def of_body(body: bytes, *, attached: bool) -> Scopes:
    """The scopes that the messages of a request need; none where it cannot be read, and so is refused."""
    try:
        said = json_reader.loads(body)
    except ValueError:
        return frozenset()
    messages: Sequence[object] = said if isinstance(said, list) else [said]
    return frozenset().union(*(of_message(each, attached=attached) for each in messages))


def lacking(what: str, needs: Collection[str], has: Collection[str]) -> str:
    """The sentence for a client that lacks a scope; empty where it has all."""
    missing = listed(set(needs) - set(has))
    return MISSING.format(what=what, scopes=" and ".join(missing)) if missing else ""


def listed(scopes: Collection[str]) -> list[str]:
    """The scopes in their order."""
    return [each for each in SCOPES if each in scopes]
