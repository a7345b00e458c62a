"""A scripted llama-server, as the webui's own loader starts one: it says the demo model's script.

A message with a block of code is said back, so that whoever asks decides what runs. Started with the
program's own flags, of which it heeds the port.
"""

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from coderunner.models.demo.demo_replies import speak
from coderunner.models.demo.server_profiles import taken_apart

PACE = 0.01
"""Seconds for a token."""

CONTEXT = 8192


def reply(prompt: str) -> str:
    """What is said after `prompt`, which ends where the reply stands by now."""
    read = taken_apart(prompt)
    asked = next((str(each["content"]) for each in reversed(read.messages) if each["role"] == "user"), "")
    if "```" not in asked:
        return speak(read.messages, read.partial)
    return "\nSeen." if read.partial.strip() else f"{asked}\n"


async def completion(request: Request) -> Response:
    """Stream a reply to a prompt of tokens, each of which is a character here."""
    prompt = "".join(map(chr, (await request.json())["prompt"]))

    async def stream() -> AsyncIterator[str]:
        for token in re.findall(r"\s*\S+|\s+$", reply(prompt)):
            yield f"data: {json.dumps({'content': token})}\n\n"
            await asyncio.sleep(PACE)
        yield f"data: {json.dumps({'content': '', 'stop': True})}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


async def tokenize(request: Request) -> Response:
    """A token is a character."""
    return JSONResponse({"tokens": [*map(ord, (await request.json())["content"])]})


async def detokenize(request: Request) -> Response:
    """The other way round."""
    return JSONResponse({"content": "".join(map(chr, (await request.json())["tokens"]))})


async def told(request: Request) -> Response:
    """What a loader asks first: whether it is there, and what it has loaded."""
    answers: dict[str, object] = {
        "/health": {"status": "ok"},
        "/props": {"bos_token": "", "default_generation_settings": {"n_ctx": CONTEXT}},
        "/v1/models": {"data": [{"id": "demo", "meta": {"n_vocab": 0x110000}}]},
    }
    return JSONResponse(answers[request.url.path])


def main() -> None:
    """Serve, with the flags of llama-server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    given, _others = parser.parse_known_args()
    app = Starlette(
        routes=[
            *(Route(path, told) for path in ("/health", "/props", "/v1/models")),
            Route("/completion", completion, methods=["POST"]),
            Route("/tokenize", tokenize, methods=["POST"]),
            Route("/detokenize", detokenize, methods=["POST"]),
        ]
    )
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
