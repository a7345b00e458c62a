# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, N802
# It stands for a program without annotations, and has its names.
"""From a prompt to a reply: the lock, the hook, stop strings, the throttle, the Stop flag."""

import ast
import copy
import html
import logging
import time

from modules import shared
from modules.extensions import apply_extensions
from modules.utils import check_model_loaded

OWN_STREAMS = ("LlamaServer", "Exllamav3Model", "TensorRTLLMModel")


def generate_reply(*args, **kwargs):
    shared.generation_lock.acquire()
    try:
        yield from _generate_reply(*args, **kwargs)
    finally:
        shared.generation_lock.release()


def _generate_reply(question, state, stopping_strings=None, is_chat=False, escape_html=False, for_ui=False):
    function = apply_extensions("custom_generate_reply")
    if function is None:
        if not check_model_loaded()[0]:
            yield ""
            return
        function = generate_reply_custom if type(shared.model).__name__ in OWN_STREAMS else generate_reply_HF

    original_question = question
    if not is_chat:
        state = apply_extensions("state", state)
        question = apply_extensions("input", question, state)

    stops = []
    for some in (stopping_strings, state["custom_stopping_strings"]):
        some = ast.literal_eval(f"[{some}]") if isinstance(some, str) else some
        stops += some or []

    shared.stop_everything = False
    is_stream = state["stream"]
    if stops and not is_stream:
        stop_event = state.pop("stop_event", None)
        state = copy.deepcopy(state)
        if stop_event is not None:
            state["stop_event"] = stop_event
        state["stream"] = True

    reply, last = "", -1.0
    for reply in function(question, original_question, state, stopping_strings, is_chat=is_chat):
        now = time.monotonic()
        reply, stop_found = apply_stopping_strings(reply, stops)
        reply = html.escape(reply) if escape_html else reply
        if is_stream:
            if now - last > 0.001:
                yield reply
            last = now
        event = state.get("stop_event")
        if stop_found or shared.stop_everything or (event and event.is_set()):
            break
    if not is_chat:
        reply = apply_extensions("output", reply, state)
    yield reply


def apply_stopping_strings(reply, all_stop_strings):
    """Cut at the first stop string in the list that occurs; else take off the beginning of one at the end."""
    for stop in all_stop_strings:
        head, found, _ = reply.partition(stop)
        if found:
            return head, True
    for stop in all_stop_strings:
        for length in range(len(stop) - 1, 0, -1):
            if reply.endswith(stop[:length]):
                return reply[:-length], False
    return reply, False


def generate_reply_custom(question, original_question, state, stopping_strings=None, is_chat=False):
    stop_event = state.pop("stop_event", None)
    state = copy.deepcopy(state)
    if stop_event is not None:
        state["stop_event"] = stop_event
    try:
        if not is_chat:
            yield ""
        if state["stream"]:
            yield from shared.model.generate_with_streaming(question, state)
        else:
            yield shared.model.generate(question, state)
    except Exception:
        shared.failures.append("the loader failed")
        logging.getLogger("textgen").exception("Failed to generate reply (custom)")


def generate_reply_HF(question, original_question, state, stopping_strings=None, is_chat=False):
    """The other family of loaders: takes the seed first; the same contract towards us."""
    yield from shared.model.generate_with_streaming(question, copy.deepcopy(state))


def get_encoded_length(prompt):
    return len(shared.model.encode(prompt))


def stop_everything_event():
    shared.stop_everything = True
