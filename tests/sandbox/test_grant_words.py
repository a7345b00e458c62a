"""Grants as a person reads them."""

from pathlib import Path

from coderunner.sandbox.grant_words import in_words
from coderunner.sandbox.policy import Grants
from tests.behaviours import behaviour

HOME = Path("/home/ada")
DATA, OUT, SRV = HOME / "data", HOME / "out", Path("/srv/data")


@behaviour("sandbox:words")
def test_each_grant_is_listed_by_itself() -> None:
    grants = Grants(
        frozenset({DATA, OUT, SRV}),
        frozenset({OUT}),
        frozenset({"example.org", "packages", "all", "*.xn--bcher-kva.example:8443"}),
    )
    each = in_words(grants, HOME)
    assert [one.words for one in each] == [
        "read ~/data",
        "read /srv/data",
        "read and write ~/out",
        "reach *.xn--bcher-kva.example:8443 (*.bücher.example:8443)",
        "reach the whole public internet",
        "reach example.org",
        "reach the package indexes of pip",
    ]
    assert each[2].grants == Grants(frozenset({OUT}), frozenset({OUT}))
    together = Grants()
    for one in each:
        together |= one.grants
    assert together == grants
