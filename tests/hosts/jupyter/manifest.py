"""What the app promises that runs in a person's own Jupyter server."""

from tests.behaviours import Behaviour

SOURCE = "docs/jupyterhub.md"

BEHAVIOURS = {
    "jupyter:entry:offered": Behaviour(
        "jupyter-server-proxy is offered a tile, and starts the app at a socket of the person's own.", SOURCE
    ),
    "jupyter:entry:secret": Behaviour(
        "Each Jupyter server has a secret of its own, which only its requests to the app carry.", SOURCE
    ),
    "jupyter:entry:missing": Behaviour(
        "Without the packages of the app there is no tile, and the server's log says why.", SOURCE
    ),
    "jupyter:server:own": Behaviour(
        "The app uses the Jupyter server that has started it, with its token, and no other.", SOURCE
    ),
    "jupyter:server:reached": Behaviour(
        "A server that listens everywhere is reached on this machine, one on a Hub with the Hub's token.",
        SOURCE,
    ),
    "jupyter:server:unknown": Behaviour(
        "Where that server is not known, the app says so and looks for no other.", SOURCE
    ),
    "jupyter:settings:models": Behaviour(
        "On a Hub no model is taken because it listens on the machine: it may be somebody else's.", SOURCE
    ),
    "jupyter:settings:model-kept": Behaviour(
        "On a Hub the app starts with the model that the person chose last, or the demo.",
        SOURCE,
    ),
    "jupyter:settings:folder": Behaviour(
        "Kernels start in the folder that JupyterLab shows at its top, unless the person has set another.",
        SOURCE,
    ),
    "jupyter:settings:chosen": Behaviour("A server that the person has set is used.", SOURCE),
    "jupyter:way-in": Behaviour(
        "A request gets in that has the secret, whatever its Host, and no other, by HTTP and WebSocket.",
        "docs/safety.md",
    ),
    "jupyter:way-in:page": Behaviour(
        "Who is let in by the Jupyter server has the page at once, without a link, a form or a cookie.",
        SOURCE,
    ),
    "jupyter:way-in:other-page": Behaviour(
        "A page of another address cannot use the app, though the browser has let its person in.",
        "docs/safety.md",
    ),
    "jupyter:public": Behaviour(
        "The Jupyter server serves the files of closed frames to everybody, as the app does, and nothing "
        "else.",
        "docs/safety.md",
    ),
    "jupyter:start:waits": Behaviour(
        "While the app starts, its page says so and looks again; what scripts ask for is not there yet.",
        SOURCE,
    ),
    "jupyter:start:fails": Behaviour(
        "An app that cannot start says why to its person, and tries again when it is asked to.", SOURCE
    ),
    "jupyter:start:secrets": Behaviour(
        "Neither the secret nor a token can be read from what the app was started with.", "docs/safety.md"
    ),
    "jupyter:start:private": Behaviour("Only the person may connect to the socket.", "docs/safety.md"),
    "jupyter:start:again": Behaviour("A socket that an earlier app has left is replaced.", SOURCE),
    "jupyter:end:with-server": Behaviour("The app ends with the Jupyter server, however that ends.", SOURCE),
}
