"""What the app for several people promises."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "team:proxy:proves-itself": Behaviour(
        "A name is believed only from a proxy that proves itself, by a secret or by our socket; an address "
        "proves nothing, and nobody names themselves.",
        "safety: several people",
    ),
    "team:proxy:no-name": Behaviour(
        "A request without a name gets one sentence, and nothing else.", "safety: several people"
    ),
    "team:proxy:hostile-names": Behaviour(
        "A name is 1 to 256 characters that can be seen; whatever else a header holds is refused, once said "
        "or several times.",
        "safety: several people",
    ),
    "team:proxy:folders": Behaviour(
        "No two names have one folder, and nothing of a name gets into a path.", "safety: several people"
    ),
    "team:proxy:origin": Behaviour(
        "The front, too, answers only at its own address and to its own page.", "safety: T4"
    ),
    "team:start:settings": Behaviour(
        "A start that would let people see what is another's is refused with the sentence that says why.",
        "safety: several people",
    ),
    "team:start:handed-on": Behaviour(
        "The process of a person's app gets the settings through a pipe, secrets included, and nowhere else.",
        "safety: several people",
    ),
    "team:people:own-app": Behaviour(
        "Each person has a process and a folder of their own, and only the front reaches it.",
        "safety: several people",
    ),
    "team:people:starting": Behaviour(
        "A page whose app takes a while to start says so, and then becomes the app.", "deploy: one team"
    ),
    "team:people:not-started": Behaviour(
        "Of an app that does not start its person reads one sentence, and the log has the reason.",
        "deploy: one team",
    ),
    "team:people:crash": Behaviour(
        "A crash of one person's app harms nobody else, and the next request starts it again.",
        "deploy: one team",
    ),
    "team:people:idle": Behaviour(
        "An app that nobody uses is ended, but not while a page of it is open or code runs.",
        "deploy: one team",
    ),
    "team:people:limit": Behaviour(
        "No more apps run at once than are allowed; one that nobody uses makes room.", "deploy: one team"
    ),
    "team:people:end": Behaviour(
        "The apps of all people end with the front, in order at SIGTERM, and also if it is killed.",
        "deploy: one team",
    ),
    "team:forward:whole": Behaviour(
        "Requests, bodies, paths and WebSockets reach a person's app as they are, and its answers come back "
        "as they are, piece by piece.",
        "RFC 9110",
    ),
    "team:forward:headers": Behaviour(
        "What a person says about their way to the app, or who they are, does not reach it.",
        "safety: several people",
    ),
    "team:forward:light": Behaviour(
        "What the front does for a request, it does for each of everybody: it reads no certificates.",
        "performance: several people",
    ),
    "team:forward:left": Behaviour("When a browser leaves, the app hears of it at once.", "deploy: one team"),
    "team:hub:service": Behaviour(
        "Outside of a Hub the app does not start as its service, and says what is missing.", "deploy: Hub"
    ),
    "team:hub:login": Behaviour(
        "On a Hub people come in by its login only, and its tokens stay away from browsers.", "deploy: Hub"
    ),
    "team:hub:own-server": Behaviour(
        "A person's code runs on their own server of the Hub, if the Hub lets it.", "deploy: Hub"
    ),
    "team:hub:apart": Behaviour("Two people of a Hub see nothing of each other.", "safety: several people"),
    "team:page:apart": Behaviour(
        "Two people behind a reverse proxy see nothing of each other: no conversation, reply, notebook, list "
        "or live event, nor each other's files from their kernels.",
        "safety: several people",
    ),
    "team:page:grants": Behaviour(
        "On a machine that is not theirs, people allow their code nothing; the operator does, by settings.",
        "safety: several people",
    ),
}
