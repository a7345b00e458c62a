"""One person's chat app, in a process of its own."""

from collections.abc import Callable

from coderunner.access.origins import App
from coderunner.hosts.app.server import App as ChatApp
from coderunner.hosts.team import private_serving
from coderunner.hosts.team.handover import Handover


def build(told: Handover) -> tuple[App, Callable[[], bool]]:
    """The app, and what says whether code runs in it."""
    app = ChatApp(told.settings, operators=told.operators)
    return app.asgi(), lambda: any(each.busy for each in app.sessions.all())


def main() -> None:
    """Run the process."""
    private_serving.serve(build)
