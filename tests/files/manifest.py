"""What is promised of the files in a conversation's folder."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "files:links:named": Behaviour(
        "A link to a file means the file in the conversation's folder, in every way in which models write.",
        "models write sandbox:/mnt/data/out.csv, ./out.csv, out.csv",
    ),
    "files:links:others": Behaviour(
        "A link that means no file of the conversation's is none to a file.", "addresses, anchors, pages"
    ),
    "files:open:plain": Behaviour(
        "Plain files of the folder are opened, by their path in it or their whole one.", "os.path.abspath"
    ),
    "files:open:elsewhere": Behaviour(
        "No name leads out of the folder, to a device or to a pipe; a sentence says why.", "hostile names"
    ),
    "files:open:any": Behaviour(
        "Whatever a path says, what is opened is a file of the folder.", "property: names from models"
    ),
    "files:download:ranges": Behaviour(
        "A download can be taken up in the middle, and asks for no more memory than a piece.", "RFC 9110, 14"
    ),
    "files:download:closed": Behaviour(
        "A file that is downloaded is kept by the browser under its name, and acts in no page.",
        "HTML and SVG with scripts",
    ),
}
