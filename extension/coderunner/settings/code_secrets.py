"""Secrets for the code: which, for which domain, and where their values are. Values are in no setting."""

from collections.abc import Mapping
from dataclasses import dataclass

from coderunner.secret_sources import VARIABLE, value_at
from coderunner.secret_value import Secret
from coderunner.settings.domains import canonical_host, is_address, means_this_machine, split_port

FORM = (
    "a table of names, each like { domain = 'api.example.com', file = '~/api-key' } or with a variable for "
    "the file; on one line: API_KEY=api.example.com@~/api-key or API_KEY=api.example.com@$VARIABLE"
)


@dataclass(frozen=True, slots=True)
class CodeSecret:
    """A secret that code may use without seeing it."""

    name: str
    """The environment variable in which the code finds a placeholder."""
    host: str
    """The one host that gets it, in its one spelling."""
    port: int
    value: Secret
    variable: str = ""
    """The variable of ours that has the value; empty: a file has it."""

    def __str__(self) -> str:
        """What a person may read of it."""
        where = self.host if self.port == 443 else f"{self.host}:{self.port}"
        return f"{self.name} for {where}"


def read_code_secrets(given: object) -> tuple[CodeSecret, ...]:
    """Read secrets from a table or a line. Raises ValueError, whose text holds no value."""
    if isinstance(given, tuple) and all(isinstance(each, CodeSecret) for each in given):
        return given
    if isinstance(given, str):
        given = {
            name.strip(): place.strip()
            for name, _, place in (pair.partition("=") for pair in given.split(",") if pair.strip())
        }
    if not isinstance(given, Mapping):
        raise ValueError(FORM)
    return tuple(_secret(name, place) for name, place in given.items())


def _secret(name: object, place: object) -> CodeSecret:
    domain, source = _parts(place)
    if not isinstance(name, str) or not VARIABLE.fullmatch(name):
        raise ValueError(FORM)
    try:
        host, port = split_port(domain)
        host = canonical_host(host)
    except ValueError:
        raise ValueError(FORM) from None
    if is_address(host) or means_this_machine(host):
        raise ValueError(f"secrets for domain names like api.example.com; {name} has something else")
    variable = source[1:] if source.startswith("$") else ""
    return CodeSecret(name, host, port or 443, Secret(value_at(source, name)), variable)


def _parts(place: object) -> tuple[str, str]:
    """Domain and source: a path, or `$` and the name of a variable."""
    if isinstance(place, str):
        written, at, source = place.partition("@")
        if at and written.strip() and source.strip():
            return written.strip(), source.strip()
    if isinstance(place, Mapping) and len(place) == 2:
        domain, file, variable = place.get("domain"), place.get("file"), place.get("variable")
        if isinstance(domain, str) and isinstance(file, str):
            return domain, file
        if isinstance(domain, str) and isinstance(variable, str):
            return domain, f"${variable}"
    raise ValueError(FORM)
