"""Drives a reply: from the model to the kernel and back, until it is finished.

The only package that knows chat, kernel and records. `converse` drives a `Turn` for asynchronous hosts,
`converse_sync` for synchronous ones.

Both close the model's stream before a cell runs (so that no text follows code that has not run), give a
`Beat` at least every `BEAT` seconds while they wait, so that a host can show time and notice Stop, and
interrupt the kernel when the host stops listening.
"""

# Some of these are only re-exported: hosts import neither chat nor kernel, only the runner.
from coderunner.chat.display_text.inline_scripts import vega_figure
from coderunner.chat.file_lines import file_lines, table_facts
from coderunner.chat.parsing.fence_parser import unfenced
from coderunner.chat.parsing.reasoning import without_tags, without_thoughts
from coderunner.chat.results.edited_code import ran_edited, ran_own, was_edited
from coderunner.chat.results.made_files import made_files
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
from coderunner.kernel.connections.kernel_specs import kernel_choices
from coderunner.kernel.connections.servers.hub_start import Progress, start_server, stopped_server
from coderunner.kernel.connections.servers.own_server import server_of
from coderunner.kernel.connections.servers.running_kernels import RunningKernel, ago, existing, meant
from coderunner.kernel.connections.servers.running_servers import (
    kernels_here,
    located,
    marked_yours,
    running_servers,
    with_token,
)
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.doctor.report import Finding, Report, Step
from coderunner.kernel.io_thread import in_this_loop
from coderunner.kernel.packages.environments import interpreter, is_environment
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.protocol.output_delta import OutputDelta
from coderunner.kernel.sessions.chat_grants import ChatGrants, Reach
from coderunner.kernel.sessions.folders.chat_folders import slug
from coderunner.kernel.sessions.folders.first_rows import first_rows
from coderunner.kernel.sessions.rebuild_variables import Rebuilt, rebuild
from coderunner.kernel.sessions.registry import (
    Capacity,
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
from coderunner.kernel.variables.asked import Rows, count_of_variables, rows_in, usage_of, variables_in
from coderunner.kernel.variables.code_lookup import look_up
from coderunner.kernel.variables.variable_list import Variable, VariableList
from coderunner.kernel.widgets.widget_panel import SavedPanel, WidgetPanel
from coderunner.outputs import Cell, Question, Result, Status
from coderunner.packages.installer import installed_for
from coderunner.packages.offers import Packaging
from coderunner.records.database import message_tree
from coderunner.records.database.conversation_queries import (
    ConversationList,
    ConversationSummary,
    StoredConversation,
    StoredMessage,
)
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import Record
from coderunner.records.open_records import open_records, rehearse
from coderunner.records.run_once import RecordedRuns, ReplyRuns, UnrecordedRuns
from coderunner.records.run_registry import Records
from coderunner.runner.allow import allow, allow_sync
from coderunner.runner.drivers import converse, converse_sync, late_words
from coderunner.runner.events import (
    BEAT,
    Answered,
    Asked,
    Beat,
    Connection,
    Ended,
    Event,
    Late,
    Preparing,
    Running,
    Shown,
    Started,
    Waiting,
)
from coderunner.runner.late_output_for_model import shown_afterwards
from coderunner.runner.late_output_recorder import LateOutputRecorder
from coderunner.runner.notebooks.notebook_conversion import (
    find_chat,
    from_notebook,
    imported,
    label_of,
    missing_words,
    pieces_in,
    results_in,
    to_notebook,
)
from coderunner.runner.notebooks.notebook_reader import LARGEST
from coderunner.runner.recall_panel import later_of, panel_of
from coderunner.runner.reply_budget import ReplyBudget
from coderunner.runner.run_cell import run as run_cell
from coderunner.runner.run_cell import run_sync as run_cell_sync
from coderunner.runner.run_options import STOPPED, Kernel, RunOptions, declined, granted, never, no_pictures
from coderunner.runner.variables_for_model import VariableDigest, mention_words
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.sandbox.refusals import grants_of
from coderunner.sandbox.typed.not_grantable import NotGrantable
from coderunner.sandbox.typed.typed_grants import CHOICES as GRANT_CHOICES
from coderunner.sandbox.typed.typed_grants import FIELDS as GRANT_FIELDS
from coderunner.sandbox.typed.typed_grants import Kind as GrantKind
from coderunner.tools.toolbox import Toolbox

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
    "Capacity",
    "Cell",
    "Change",
    "ChatGrants",
    "Connection",
    "ConversationList",
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
    "Packaging",
    "Part",
    "Preparing",
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
    "Rows",
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
    "Toolbox",
    "Turn",
    "UnrecordedRuns",
    "Variable",
    "VariableDigest",
    "VariableList",
    "Waiting",
    "WidgetPanel",
    "ago",
    "allow",
    "allow_sync",
    "approval_of",
    "check",
    "converse",
    "converse_sync",
    "count_of_variables",
    "declined",
    "described",
    "existing",
    "file_lines",
    "find_chat",
    "first_rows",
    "for_model",
    "for_tool",
    "from_notebook",
    "granted",
    "grants_of",
    "heard",
    "images",
    "imported",
    "in_this_loop",
    "installed_for",
    "interpreter",
    "is_environment",
    "kernel_choices",
    "kernels_here",
    "label_of",
    "late_words",
    "later_of",
    "local_of",
    "located",
    "location_of",
    "look_up",
    "made_files",
    "marked_yours",
    "meant",
    "mention_words",
    "message_tree",
    "missing_words",
    "never",
    "no_pictures",
    "open_records",
    "panel_of",
    "parts",
    "pictures",
    "pieces_in",
    "plain",
    "ran_again",
    "ran_edited",
    "ran_own",
    "rebuild",
    "rehearse",
    "results_in",
    "rows_in",
    "run_cell",
    "run_cell_sync",
    "running_servers",
    "server_of",
    "shown_afterwards",
    "slug",
    "spoken",
    "start_server",
    "stopped_server",
    "table_facts",
    "to_notebook",
    "unfenced",
    "usage_of",
    "variables_in",
    "vega_figure",
    "was_edited",
    "with_token",
    "without_tags",
    "without_thoughts",
]
