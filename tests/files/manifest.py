"""What is promised of the files in a conversation's folder."""

from tests.behaviours import Behaviour

BEHAVIOURS = {
    "files:links:named": Behaviour(
        "A link to a file means the file in the conversation's folder, in every way in which models write.",
        "models write sandbox:/mnt/data/out.csv, ./out.csv, out.csv",
    ),
    "files:changes:told": Behaviour(
        "What is written in a folder is told once: new files and changed ones, no links, nothing hidden.",
        "files that a block made",
    ),
    "files:changes:between": Behaviour(
        "What was written before a cell begins is not the cell's.", "uploads, and a person's own editor"
    ),
    "files:changes:still": Behaviour(
        "Where Linux tells that nothing was written, a folder is not read.", "cells that write nothing"
    ),
    "files:changes:rest": Behaviour(
        "A folder in which no cell runs is forgotten after a while, and read anew for the next one.",
        "Linux has events of a hundred folders or so for all programs of a user",
    ),
    "files:changes:links": Behaviour(
        "No link is followed, nor a folder that has become one.", "code may not look elsewhere by us"
    ),
    "files:changes:bounded": Behaviour(
        "Of a folder that was too large to be read, nothing is told that is not known.",
        "a person's home folder",
    ),
    "files:changes:order": Behaviour(
        "Files that lie in no folder are told first, then the oldest; of many the rest is counted.",
        "twenty are told one by one",
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
    "files:read:pieces": Behaviour(
        "A file is read piece by piece; what a disk has to give holds up nobody else.",
        "1 GB at the rate of the least server",
    ),
    "files:download:direct": Behaviour(
        "A file on this machine goes to the client's socket without being read here; the answer is the same, "
        "whole or in part, and whatever becomes of file and client.",
        "sendfile(2)",
    ),
    "files:download:ranges": Behaviour(
        "A download can be taken up in the middle, and asks for no more memory than a piece.", "RFC 9110, 14"
    ),
    "files:download:closed": Behaviour(
        "A file that is downloaded is kept by the browser under its name, and acts in no page.",
        "HTML and SVG with scripts",
    ),
    "files:list:plain": Behaviour(
        "A listing has the plain files of a folder with size and time, and none that is hidden or a link.",
        "what a person sees of it",
    ),
    "files:list:bounded": Behaviour(
        "A folder of any size and depth is listed within bounds, and what is left out is counted.",
        "code writes as many files as it likes",
    ),
    "files:write:whole": Behaviour(
        "A file that is taken in is there whole or not at all, and never in the place of another one.",
        "uploads break off",
    ),
    "files:write:room": Behaviour(
        "A file that does not fit leaves nothing, and a sentence says why.", "full disks, max_disk"
    ),
    "files:names": Behaviour(
        "A file gets a name that every system takes and nothing hides in; a path that leads out is refused.",
        "reserved names of Windows, traversal, control and direction characters",
    ),
    "files:change": Behaviour(
        "Files are renamed and deleted, never replaced, and nothing outside the folder is touched.",
        "links that code makes meanwhile",
    ),
    "files:kinds": Behaviour("A file's name says which kind it is.", "endings"),
    "files:routes": Behaviour(
        "A page lists a chat's files, uploads, renames and deletes them, and links download one or all.",
        "the page's own routes",
    ),
    "files:routes:owner": Behaviour(
        "Files are for the page of whoever has the chat: without token or chat nothing is told or done.",
        "safety: every route asks by itself",
    ),
    "files:routes:broken": Behaviour(
        "Of an upload that breaks off nothing is left, and one that does not fit is told so.",
        "browsers that leave, max_disk",
    ),
    "files:routes:slow": Behaviour(
        "Clients that send or read a byte now and then hold up nobody, however many they are.",
        "a thread for each would leave none for others",
    ),
    "files:upload:direct": Behaviour(
        "A large file goes from the client's socket to a disk of this machine without being held here; what "
        "follows on the connection is answered, and where the system cannot do it the file is as whole.",
        "splice(2)",
    ),
    "files:zip": Behaviour(
        "All files that are listed come in one zip, made while it is sent, piece by piece; too many do not.",
        "a download of all",
    ),
    "files:look:tables": Behaviour(
        "Of a table its columns and rows are read, however it is delimited, quoted and encoded.",
        "CSV as programs write it; JSON; JSON lines",
    ),
    "files:look:hostile": Behaviour(
        "A look takes bounded time and says bounded words, whatever is in a file; of what is no table, none.",
        "hostile files",
    ),
    "files:head:rows": Behaviour(
        "The first rows of Parquet, Arrow and Feather files and of workbooks are read with their library.",
        "what pandas writes besides CSV",
    ),
    "files:head:bounded": Behaviour(
        "The first rows are bounded in rows, columns, cells and characters; what cannot be read has none.",
        "hostile files",
    ),
    "files:head:lacks": Behaviour(
        "A library that the kernel's Python and the packages of the chat lack is named.", "a plain venv"
    ),
    "files:look:waits": Behaviour(
        "A look waits for a kernel that starts, not for one that cannot be asked, and can be stopped.",
        "every wait is bounded",
    ),
}
