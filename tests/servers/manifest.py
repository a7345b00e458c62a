"""What is promised of every Jupyter server that people have."""

from tests.behaviours import Behaviour

CONTRACT = "servers and kernels; docs/jupyter-server.md"

KERNEL = "servers and kernels; docs/kernels.md"

BEHAVIOURS = {
    "kernels:contract:check": Behaviour("The check of a kernel of any maker is green.", KERNEL),
    "kernels:contract:run": Behaviour("A cell runs in it, and a later one knows its variables.", KERNEL),
    "kernels:contract:error": Behaviour("An error is one, and the next cell runs.", KERNEL),
    "kernels:contract:deadline": Behaviour(
        "A cell is stopped at its limit; whether the variables stay is said truly.", KERNEL
    ),
    "kernels:contract:interrupt": Behaviour(
        "A person can stop a cell; whether the variables stay is said truly.", KERNEL
    ),
    "kernels:contract:input": Behaviour("A program that asks for input gets the answer.", KERNEL),
    "kernels:contract:image": Behaviour("A picture arrives whole.", KERNEL),
    "kernels:contract:death": Behaviour("A kernel that dies is told, and the next cell has another.", KERNEL),
    "kernels:contract:restart": Behaviour("A restart empties it, and the next result says so.", KERNEL),
    "kernels:contract:attach": Behaviour("A kernel that runs is used with its variables, and left.", KERNEL),
    "servers:check": Behaviour("The check of a server that works is green.", CONTRACT),
    "servers:check:token": Behaviour("The check says that a token is wrong, also at a gateway.", CONTRACT),
    "servers:run": Behaviour("A cell runs on it.", CONTRACT),
    "servers:state": Behaviour("A later cell knows the variables of an earlier one.", CONTRACT),
    "servers:image": Behaviour("A picture arrives whole.", CONTRACT),
    "servers:input": Behaviour("A program that asks for input gets the answer.", CONTRACT),
    "servers:deadline": Behaviour("A cell is stopped at its limit, and its variables stay.", CONTRACT),
    "servers:interrupt": Behaviour("A person can stop a cell.", CONTRACT),
    "servers:death": Behaviour("A kernel that dies is told, and the next cell has another.", CONTRACT),
    "servers:death-at-rest": Behaviour(
        "A kernel that dies between two cells is told with the next result.", CONTRACT
    ),
    "servers:shared": Behaviour(
        "A cell ends as it should though another client of its kernel comes and goes.", CONTRACT
    ),
    "servers:gateway-gone": Behaviour(
        "A server before a gateway that is gone is cited within seconds, not waited for.",
        "servers and kernels: S14",
    ),
    "servers:hub": Behaviour(
        "A Hub's own address, a server of somebody else, one that is stopped, starting or missing, and a bad "
        "token each have a true sentence of their own.",
        "servers and kernels: S8",
    ),
    "servers:hub-start": Behaviour(
        "A person's stopped server on a Hub is started where the person wants it, with the Hub's progress; "
        "one that runs is left alone.",
        "servers and kernels: S8",
    ),
    "servers:hub-consent": Behaviour(
        "No server is started unless the person says so, by a flag or in a terminal.",
        "servers and kernels: S8",
    ),
    "servers:hub-start-fails": Behaviour(
        "A server that a Hub cannot start, or that the token may not, has the reason in one sentence.",
        "servers and kernels: S8",
    ),
    "servers:hub-start-waits": Behaviour(
        "A server that is starting is waited for, over lost connections too; whoever stops waiting stops no "
        "server.",
        "servers and kernels: S8",
    ),
    "servers:hub-start-away": Behaviour(
        "A Hub that goes away while it starts a server is said to have stopped responding.",
        "servers and kernels: S8",
    ),
    "servers:jupyverse": Behaviour(
        "A jupyverse is said to be one, and gets no token in an address.", "servers and kernels: S5; T7"
    ),
    "servers:restart": Behaviour("A restart empties the kernel, and the next result says so.", CONTRACT),
    "servers:reconnect": Behaviour(
        "After a lost connection the variables are there; output that is missing is said to be.", CONTRACT
    ),
    "servers:found-again": Behaviour(
        "After a restart of ours the kernel is found, or a new one says so; none is left in the end.",
        CONTRACT,
    ),
    "servers:list": Behaviour("Its kernels are listed, or the setting is named that makes it.", CONTRACT),
    "servers:attach": Behaviour(
        "A kernel that runs there is used and left, or the setting is named that makes it found.", CONTRACT
    ),
    "servers:slow-start": Behaviour(
        "A kernel that takes eight seconds to start is waited for, and the light says so.", CONTRACT
    ),
    "jupyter:hub:three-clicks": Behaviour(
        "On a Hub a newcomer gets from the launcher's tile to `15` in three clicks, on their own server.",
        "done when; docs/jupyterhub.md",
    ),
    "jupyter:hub:apart": Behaviour(
        "Two people of a Hub see neither the conversations nor the kernels nor the files of each other.",
        "docs/jupyterhub.md",
    ),
    "jupyter:hub:page": Behaviour(
        "Below the address of a person's server all of the page works.", "docs/jupyterhub.md"
    ),
    "jupyter:hub:login": Behaviour(
        "Who has not logged in at the Hub gets only files that have no data.", "docs/jupyterhub.md; safety"
    ),
    "servers:files": Behaviour(
        "A file goes into the folder where its code works, and what the code makes comes out.", CONTRACT
    ),
    "servers:questions": Behaviour("A kernel there lists its variables, also while a cell runs.", CONTRACT),
}
