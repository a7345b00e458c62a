"""What is promised of packages."""

from tests.behaviours import Behaviour

PIP = "pip's and uv's command lines"
HOSTILE = "what a cell prints may be forged"

BEHAVIOURS = {
    "packages:requirements:forms": Behaviour(
        "What is asked for are names with extras and versions: no address, no path, no option.", HOSTILE
    ),
    "packages:wanted": Behaviour(
        "What a cell lacked is the package of its missing module, or what pip was to install.",
        "error messages of Python, and the prelude's own",
    ),
    "packages:lock": Behaviour(
        "What is installed is a file of requirements with hashes, from which pip installs the same again.",
        "pip, Requirements File Format",
    ),
    "packages:lock:exported": Behaviour(
        "A conversation's notebook says what was installed for it, and so does a file for pip.",
        "nbformat: metadata of others are kept",
    ),
    "packages:find": Behaviour(
        "What would be installed is found with versions, sizes and all that it needs; nothing is changed.",
        PIP,
    ),
    "packages:find:sentences": Behaviour(
        "A package that is not there, has to be built or does not go with others is told in a sentence each.",
        PIP,
    ),
    "packages:find:network": Behaviour("An index that is not reached is told in a sentence.", PIP),
    "packages:install": Behaviour(
        "A package goes into the conversation's folder with what it needs, whole or not at all.",
        PIP,
    ),
    "packages:install:kept": Behaviour(
        "What is installed stays as it is where it can, and so does what pip put there itself.",
        PIP,
    ),
    "packages:install:links": Behaviour(
        "Nothing that code has put in the way leads an installation out of the conversation's folder.",
        "code may write there",
    ),
    "packages:install:full": Behaviour(
        "A full disk, a folder that cannot be written and a stop leave all as it was, with a sentence.", PIP
    ),
    "packages:once-more": Behaviour(
        "A cell runs once more by itself only where nothing but imports had run of it.",
        "a cell runs exactly once",
    ),
    "environments:paths": Behaviour(
        "A kernel's name that is a path means the environment there, or that of the folder.", "venv, conda"
    ),
    "environments:sentences": Behaviour(
        "An environment that is not there, or has no ipykernel, is told in a sentence with the way out.",
        "venv",
    ),
    "environments:conda": Behaviour(
        "Environments of conda's kin that can run a kernel are listed by their names.",
        "~/.conda/environments.txt",
    ),
    "environments:kernel": Behaviour(
        "A kernel runs in the environment of a folder, without a kernel spec of it.", "venv"
    ),
    "packages:allow": Behaviour(
        "An installation tells each step and whether a restart is needed; what fails can be tried again.",
        "how people work with notebooks",
    ),
    "packages:kernel:lacking": Behaviour(
        "A cell that lacks a package says so in a sentence with the way out: a button, or the setting.",
        "how people work with notebooks",
    ),
    "packages:kernel:pip": Behaviour(
        "A plain pip install in a cell, however it is run, installs nothing itself and says what it would.",
        "%pip, !pip, %%bash, subprocess, os.system",
    ),
    "packages:kernel:pip:others": Behaviour(
        "What is no plain pip install runs as it always did.", "programs and lines of shell with pip in them"
    ),
    "packages:kernel:auto": Behaviour(
        "With packages = auto a missing package is installed; the cell runs again, or the model is told.",
        "how people work with notebooks",
    ),
}
