# ruff: noqa: ANN001, ANN201, ANN202
# It stands for a program without annotations, and has its names.
"""The chat tab and the chat API: which hooks are called in which order, and what is thrown away."""

import copy
import html
import json
import re
import time

from modules import html_generator, shared
from modules.extensions import apply_extensions
from modules.reasoning import THINKING_FORMATS, extract_reasoning
from modules.text_generation import generate_reply

SAVED_EVERY = 8.0
"""Seconds between two looks at which a growing reply is saved."""

NAMED = ("chat", "chat-instruct")
TOOL = re.compile(r"<tool_call>\s*(\w+)\s*</tool_call>")


# -- prompts --------------------------------------------------------------------------------------


def generate_chat_prompt(user_input, state, impersonate=False, _continue=False, history=None):
    history = history or state["history"]
    messages = [("system", state["context"])] if state["context"] else []
    for user, reply in history["internal"]:
        messages += [("user", user.strip())] if user.strip() else []
        messages += [("assistant", _without_thought(reply.strip()))] if reply.strip() else []
    for call in history.get("metadata", {}).get(f"assistant_{len(history['internal'])}", {}).get("tools", []):
        messages.append(call)
    if _continue:
        *messages, (_, partial) = messages
    elif user_input.strip() and not impersonate:
        messages.append(("user", user_input.strip()))
    if state["mode"] == "chat":
        return _named(messages, state) + (f" {partial}" if _continue else "")
    prompt = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in messages)
    if impersonate:
        return f"{prompt}<|im_start|>user\n"
    prompt += "<|im_start|>assistant\n" + (partial if _continue else state["generation_prefix"])
    return (
        prompt
        if _continue or state["mode"] == "instruct"
        else prompt + apply_extensions("bot_prefix", "", state)
    )


def _named(messages, state):
    names = {
        "user": f"{state['name1']}: ",
        "assistant": f"{state['name2']}: ",
        "system": "",
        "tool": "Tool: ",
    }
    return "".join(f"{names[role]}{text}\n" for role, text in messages) + f"{state['name2']}:"


def _without_thought(reply):
    thought, answer = extract_reasoning(reply)
    return reply if thought is None else answer.strip() or thought


def get_stopping_strings(state):
    named = [f"\n{state['name1']}:", f"\n{state['name2']}:"]
    return {"instruct": ["<|im_end|>"], "chat-instruct": ["<|im_end|>", *named], "chat": named}[state["mode"]]


# -- one reply ------------------------------------------------------------------------------------


def generate_search_query(message, state):
    search_state = {**state, "start_with": "", "auto_max_new_tokens": True, "enable_thinking": False}
    prompt = generate_chat_prompt(f"{message}\n\nTurn this into a search query.", search_state)
    *_, query = generate_reply(prompt, search_state, stopping_strings=[], is_chat=True)
    return query


def chatbot_wrapper(text, state, regenerate=False, _continue=False, loading_message=True, for_ui=False):
    output = apply_extensions("history", copy.deepcopy(state["history"]))
    state = apply_extensions("state", state)
    metadata = output.setdefault("metadata", {})
    stopping_strings = get_stopping_strings(state)

    if not (regenerate or _continue):
        visible_text = html.escape(text)
        if state.get("enable_web_search"):
            state["searched"] = generate_search_query(text, state)
        text, visible_text = apply_extensions("chat_input", text, visible_text, state)
        text = apply_extensions("input", text, state, is_chat=True)
        output["internal"].append([text, ""])
        output["visible"].append([visible_text, ""])
        if loading_message:
            yield _shown(output, shared.processing_message)
    else:
        text, visible_text = output["internal"][-1][0], output["visible"][-1][0]
        if regenerate and not state.get("_tool_turn"):
            _keep_version(output, metadata)
            if loading_message:
                yield _shown(output, shared.processing_message, internal="")
        last_reply = [output["internal"][-1][1], output["visible"][-1][1]]
        if _continue and loading_message:
            yield _shown(output, last_reply[1] + "...")

    row = len(output["internal"]) - 1
    versions = metadata.get(f"assistant_{row}", {}).get("versions", [])
    # Without the row at hand, but with the metadata that will be saved.
    rowless = {key: value[:-1] if key in ("internal", "visible") else value for key, value in output.items()}
    kwargs = {"_continue": _continue, "history": output if _continue else rowless}
    prompt = apply_extensions("custom_generate_chat_prompt", text, state, **kwargs)
    if prompt is None:
        prompt = generate_chat_prompt(text, state, **kwargs)

    starts = [start for start, *_ in THINKING_FORMATS if start]
    prefix = "" if _continue else next((tag for tag in starts if prompt.rstrip("\n").endswith(tag)), "")

    for number, reply in enumerate(
        generate_reply(prompt, state, stopping_strings=stopping_strings, is_chat=True, for_ui=for_ui)
    ):
        reply = prefix + reply
        if state["mode"] in NAMED:
            reply = reply if _continue else reply.lstrip()
            for name in (state["name2"], state["name1"]):
                if reply.startswith(f"{name}:"):
                    reply = reply.removeprefix(f"{name}:")
                    break
        visible = html.escape(reply)
        if shared.stop_everything:
            # This step is thrown away: what was stored before it stays.
            _finish(output, state)
            yield output
            return
        if _continue:
            output["internal"][-1] = [text, last_reply[0] + reply]
            output["visible"][-1] = [visible_text, last_reply[1] + visible]
        elif not (number == 0 and not visible.strip()):
            output["internal"][-1] = [text, reply.lstrip(" ")]
            output["visible"][-1] = [visible_text, visible.lstrip(" ")]
        if versions and not state.get("_tool_turn"):
            versions[-1] |= {
                "content": output["internal"][-1][1],
                "visible_content": output["visible"][-1][1],
            }
        if state["stream"]:
            yield output
    if _continue:
        output["visible"][-1][1] = html.escape(output["internal"][-1][1])
    _finish(output, state)
    yield output


def _shown(output, visible, internal=None):
    """The page while it waits; nothing of it is kept."""
    rows = {"visible": [*output["visible"][:-1], [output["visible"][-1][0], visible]]}
    last = output["internal"][-1]
    return (
        output
        | rows
        | {"internal": [*output["internal"][:-1], last if internal is None else [last[0], internal]]}
    )


def _finish(output, state):
    if not state.get("_skip_output_extensions"):
        output["visible"][-1][1] = apply_extensions("output", output["visible"][-1][1], state, is_chat=True)


def _keep_version(output, metadata):
    versions = metadata.setdefault(f"assistant_{len(output['internal']) - 1}", {}).setdefault("versions", [])
    if not versions:
        old, seen = output["internal"][-1][1], output["visible"][-1][1]
        versions.append({"content": old, "visible_content": seen})
    versions.append({"content": "", "visible_content": ""})


# -- the files of the chats ------------------------------------------------------------------------


def get_history_file_path(unique_id, character, mode):
    folder = "instruct" if mode == "instruct" else f"chat/{character}"
    return shared.user_data_dir / "logs" / folder / f"{unique_id}.json"


def save_history(history, unique_id, character, mode):
    if shared.args.multi_user or not unique_id or unique_id.startswith("incognito-"):
        return
    path = get_history_file_path(unique_id, character, mode)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(history), encoding="utf-8")


def load_history(unique_id, character, mode):
    path = get_history_file_path(unique_id, character, mode)
    empty = {"internal": [], "visible": [], "metadata": {}}
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else empty


def rename_history(old_id, new_id, character, mode):
    """A name that is taken is not given: the page shows it all the same."""
    old = get_history_file_path(old_id, character, mode)
    new = get_history_file_path(new_id, character, mode)
    if new.parent == old.parent and not new.exists():
        old.rename(new)


def delete_history(unique_id, character, mode):
    get_history_file_path(unique_id, character, mode).unlink(missing_ok=True)


# -- the doors ------------------------------------------------------------------------------------


def generate_chat_reply_wrapper(text, state, regenerate=False, _continue=False):
    """The chat tab: "Start reply with", and the loop of tool calls."""
    if state["start_with"] and not _continue:
        if regenerate:
            text, regenerate = state["history"]["internal"].pop()[0], False
            state["history"]["visible"].pop()
        state["history"]["internal"].append([text, state["start_with"]])
        state["history"]["visible"].append([html.escape(text), html.escape(state["start_with"])])
        _continue = True
    turn, shown, saved = 0, [], -SAVED_EVERY
    while True:
        if turn:
            state["_tool_turn"] = state["_skip_output_extensions"] = True
        again, more = (regenerate, _continue) if not turn else (True, False)
        for history in chatbot_wrapper("" if turn else text, state, again, more, for_ui=True):
            visible = "\n\n".join([*shown, history["visible"][-1][1]])
            yield html_generator.convert_to_markdown_wrapped(visible, use_cache=False), history
            if time.monotonic() - saved >= SAVED_EVERY:
                save_history(history, state["unique_id"], state["character_menu"], state["mode"])
                saved = time.monotonic()
            if state["selected_tools"] and TOOL.search(history["internal"][-1][1]):
                break
        reply = history["internal"][-1][1]
        call = TOOL.search(reply) if state["selected_tools"] and not shared.stop_everything else None
        if call is None:
            break
        row = len(history["internal"]) - 1
        calls = history["metadata"].setdefault(f"assistant_{row}", {}).setdefault("tools", [])
        calls += [("assistant", reply[: call.end()]), ("tool", state["selected_tools"][call[1]]())]
        shown.append(html.escape(reply[: call.start()].strip()))
        history["internal"][-1][1] = ""
        state["history"] = history
        turn += 1
    state.pop("_tool_turn", None)
    if state.pop("_skip_output_extensions", None):
        _finish(history, state)
    if shown:
        history["visible"][-1][1] = "\n\n".join([*shown, history["visible"][-1][1]])
    state["history"] = history
    yield html_generator.convert_to_markdown_wrapped(history["visible"][-1][1], use_cache=False), history
    save_history(history, state["unique_id"], state["character_menu"], state["mode"])


def impersonate_wrapper(text, state):
    prompt = generate_chat_prompt("", state, impersonate=True) + text
    for reply in generate_reply(prompt, state, stopping_strings=get_stopping_strings(state), is_chat=True):
        yield text + reply
        if shared.stop_everything:
            return


def notebook(question, state):
    for reply in generate_reply(
        question, state, stopping_strings=None, is_chat=False, escape_html=True, for_ui=True
    ):
        yield question + reply


def api_completion(prompt, state):
    """`/v1/completions`."""
    *_, reply = generate_reply(prompt, state, is_chat=False)
    return reply


def api_chat(text, state, *, stream, _continue=False):
    """`/v1/chat/completions`: the deltas as the client gets them, told apart by length alone."""
    seen, seen_thought, answer = "", "", ""
    for history in chatbot_wrapper(text, state | {"stream": stream}, False, _continue, loading_message=False):
        answer = history["internal"][-1][1]
        if stream:
            thought, content = extract_reasoning(answer)
            yield (thought or "")[len(seen_thought) :], content[len(seen) :]
            assert content.startswith(seen), "an API client has text that the reply no longer begins with"
            seen, seen_thought = content, thought or seen_thought
    if not stream:
        yield extract_reasoning(answer)
