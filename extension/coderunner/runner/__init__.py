"""Drives a reply: from the model to the kernel and back, until it is finished.

The only package that knows chat, kernel and records. `converse` drives a `Turn` for asynchronous hosts,
`converse_sync` for synchronous ones.

Both close the model's stream before a cell runs (so that no text follows code that has not run), give a
`Beat` at least every `BEAT` seconds while they wait, so that a host can show time and notice Stop, and
interrupt the kernel when the host stops listening.
"""

# Some of these are only re-exported: hosts import neither chat nor kernel, only the runner.
from coderunner.chat.parsing.fence_parser import unfenced
from coderunner.chat.parsing.reasoning import without_tags
from coderunner.chat.results.result_text import (
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
from coderunner.chat.steps import Finish, Generate, Part, Run, Say
from coderunner.chat.turn_state_machine import Turn
from coderunner.kernel.connections.servers.hub_start import Progress, start_server, stopped_server
from coderunner.kernel.connections.servers.own_server import server_of
from coderunner.kernel.connections.servers.running_kernels import RunningKernel, ago, existing, meant
from coderunner.kernel.connections.servers.running_servers import (
    kernels_here,
    located,
    running_servers,
    with_token,
)
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.doctor.report import Finding, Report, Step
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.protocol.output_delta import OutputDelta
from coderunner.kernel.server_address import normalise
from coderunner.kernel.sessions.chat_grants import ChatGrants, Reach
from coderunner.kernel.sessions.rebuild_variables import Rebuilt, rebuild
from coderunner.kernel.sessions.registry import (
    KernelLocation,
    KernelStatus,
    Local,
    Server,
    Session,
    Sessions,
    approval_of,
    local_of,
    location_of,
)
from coderunner.kernel.sessions.spoken_language import heard, spoken
from coderunner.kernel.widgets.widget_panel import SavedPanel, WidgetPanel
from coderunner.outputs import Cell, Question, Result, Status
from coderunner.records.database.conversation_queries import (
    ConversationSummary,
    StoredConversation,
    StoredMessage,
)
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import Record
from coderunner.records.open_records import open_records, rehearse
from coderunner.records.run_once import RecordedRuns, ReplyRuns, UnrecordedRuns
from coderunner.records.run_registry import Records
from coderunner.runner.drivers import converse, converse_sync, late_words
from coderunner.runner.events import (
    BEAT,
    Answered,
    Asked,
    Beat,
    Ended,
    Event,
    Late,
    Running,
    Shown,
    Started,
    Waiting,
)
from coderunner.runner.late_output_for_model import shown_afterwards
from coderunner.runner.late_output_recorder import LateOutputRecorder
from coderunner.runner.notebook_conversion import (
    find_chat,
    from_notebook,
    imported,
    label_of,
    missing_words,
    pieces_in,
    results_in,
    to_notebook,
)
from coderunner.runner.notebook_reader import LARGEST
from coderunner.runner.recall_panel import later_of, panel_of
from coderunner.runner.reply_budget import ReplyBudget
from coderunner.runner.run_cell import run as run_cell
from coderunner.runner.run_cell import run_sync as run_cell_sync
from coderunner.runner.run_options import STOPPED, Kernel, RunOptions, declined, granted, never, no_pictures
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.sandbox.refusals import grants_of
from coderunner.sandbox.typed.not_grantable import NotGrantable
from coderunner.sandbox.typed.typed_grants import CHOICES as GRANT_CHOICES
from coderunner.sandbox.typed.typed_grants import FIELDS as GRANT_FIELDS
from coderunner.sandbox.typed.typed_grants import Kind as GrantKind

__all__ = [
    "AFTERWARDS_LIMITS",
    "BEAT",
    "DEFAULT_LIMITS",
    "GRANT_CHOICES",
    "GRANT_FIELDS",
    "LARGEST",
    "STOPPED",
    "Answered",
    "Asked",
    "Beat",
    "Cell",
    "Change",
    "ChatGrants",
    "ConversationSummary",
    "Ended",
    "Event",
    "Finding",
    "Finish",
    "Generate",
    "GrantKind",
    "Grants",
    "Heading",
    "Image",
    "Kernel",
    "KernelLocation",
    "KernelSandbox",
    "KernelStatus",
    "Kind",
    "Late",
    "LateOutputRecorder",
    "Local",
    "MessagePart",
    "NotGrantable",
    "OutputDelta",
    "Part",
    "Progress",
    "Question",
    "Reach",
    "Rebuilt",
    "Record",
    "RecordedRuns",
    "Records",
    "ReplyBudget",
    "ReplyRuns",
    "Report",
    "Result",
    "Run",
    "RunOptions",
    "Running",
    "RunningKernel",
    "SavedPanel",
    "Say",
    "Server",
    "Session",
    "Sessions",
    "Shown",
    "Started",
    "Status",
    "Step",
    "StoredConversation",
    "StoredMessage",
    "Turn",
    "UnrecordedRuns",
    "Waiting",
    "WidgetPanel",
    "ago",
    "approval_of",
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
    "grants_of",
    "heard",
    "images",
    "imported",
    "kernels_here",
    "label_of",
    "late_words",
    "later_of",
    "local_of",
    "located",
    "location_of",
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
    "rehearse",
    "results_in",
    "run_cell",
    "run_cell_sync",
    "running_servers",
    "server_of",
    "shown_afterwards",
    "spoken",
    "start_server",
    "stopped_server",
    "to_notebook",
    "unfenced",
    "with_token",
    "without_tags",
]
