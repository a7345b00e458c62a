"""The hall: takes a turn from the model to the kernel and back, until it is finished.

The only room that knows chat, kernel and records. `converse` drives a `Turn` for asynchronous hosts,
`converse_sync` for synchronous ones.

Both close the model's stream before a cell runs (nothing is said after code that has not run yet), give a
`Beat` at least every `BEAT` seconds while they wait, so that a host can show time and notice Stop, and
interrupt the kernel when the host stops listening.
"""

# Some of these only pass through here: doors know neither chat nor kernel, and ask the hall.
from coderunner.allowance import Allowance
from coderunner.chat.fences import unfenced
from coderunner.chat.reasoning import without_tags
from coderunner.chat.render import (
    AFTERWARDS_LIMITS,
    DEFAULT_LIMITS,
    Heading,
    Image,
    described,
    for_model,
    for_tool,
    images,
    parts,
    pictures,
    plain,
    ran_again,
)
from coderunner.chat.turn import Finish, Generate, Part, Run, Say, Turn
from coderunner.kernel.address import normalise
from coderunner.kernel.doctor import Finding, Report, check
from coderunner.kernel.execution import Change
from coderunner.kernel.existing import Existing, ago, existing, meant
from coderunner.kernel.news import News
from coderunner.kernel.panel import Kept, Panel
from coderunner.kernel.rebuild import Rebuilt, rebuild
from coderunner.kernel.sessions import Light, Local, Server, Session, Sessions, Where, where_of
from coderunner.outputs import Cell, Question, Result, Status
from coderunner.records.book import Records
from coderunner.records.chats import Card, Chat, Saying
from coderunner.records.ledger import Ledger, ReplyLedger, Unwritten
from coderunner.records.opening import open_records
from coderunner.records.pieces import Kind, Piece
from coderunner.records.rows import Record

from .afterwards import shown_afterwards
from .cells import run as run_cell
from .cells import run_sync as run_cell_sync
from .drivers import converse, converse_sync, late_words
from .events import BEAT, Answered, Asked, Beat, Ended, Event, Late, Shown, Started, Waiting
from .later import Later
from .manner import STOPPED, Kernel, Manner, declined, granted, never, no_pictures
from .notebookfile import LARGEST
from .notebooks import (
    find_chat,
    from_notebook,
    label_of,
    missing_words,
    pieces_in,
    results_in,
    to_notebook,
)
from .panels import later_of, panel_of

__all__ = [
    "AFTERWARDS_LIMITS",
    "BEAT",
    "DEFAULT_LIMITS",
    "LARGEST",
    "STOPPED",
    "Allowance",
    "Answered",
    "Asked",
    "Beat",
    "Card",
    "Cell",
    "Change",
    "Chat",
    "Ended",
    "Event",
    "Existing",
    "Finding",
    "Finish",
    "Generate",
    "Heading",
    "Image",
    "Kept",
    "Kernel",
    "Kind",
    "Late",
    "Later",
    "Ledger",
    "Light",
    "Local",
    "Manner",
    "News",
    "Panel",
    "Part",
    "Piece",
    "Question",
    "Rebuilt",
    "Record",
    "Records",
    "ReplyLedger",
    "Report",
    "Result",
    "Run",
    "Say",
    "Saying",
    "Server",
    "Session",
    "Sessions",
    "Shown",
    "Started",
    "Status",
    "Turn",
    "Unwritten",
    "Waiting",
    "Where",
    "ago",
    "check",
    "converse",
    "converse_sync",
    "declined",
    "described",
    "existing",
    "find_chat",
    "for_model",
    "for_tool",
    "from_notebook",
    "granted",
    "images",
    "label_of",
    "late_words",
    "later_of",
    "meant",
    "missing_words",
    "never",
    "no_pictures",
    "normalise",
    "open_records",
    "panel_of",
    "parts",
    "pictures",
    "pieces_in",
    "plain",
    "ran_again",
    "rebuild",
    "results_in",
    "run_cell",
    "run_cell_sync",
    "shown_afterwards",
    "to_notebook",
    "unfenced",
    "where_of",
    "without_tags",
]
