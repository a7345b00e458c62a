"""The model and the browser are those of the app's own tests."""

from tests.hosts.app.conftest import browser, parrot

__all__ = ["browser", "parrot"]
