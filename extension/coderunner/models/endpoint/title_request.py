"""Asking a model for the title of a conversation: what it is asked, and what it says."""

import asyncio

from coderunner.models.endpoint.chunks import piece
from coderunner.models.endpoint.client import Client

ASKED = (
    "Write a title for this conversation: two to six words in its language, without quotes, and nothing else."
)
"""What the question begins with."""

QUOTED = 1200
"""Characters of the question and of the answer that the model gets: what it is about stands at the beginning,
and a model on a CPU reads some hundred tokens in the time that is bearable."""

LONGEST = 4000
"""Characters of an answer, thoughts among them, after which the model is stopped: it writes no title."""


async def ask_for_title(client: Client, question: str, answer: str, *, patience: float) -> str:
    """What the model says to that, thoughts in its text included; empty where it thinks for too long.

    It gets no limit of tokens, for which endpoints have different names: the stream is closed instead. Takes
    `patience` seconds at most. Raises ModelError, and TimeoutError.
    """
    prompt = (
        f"{ASKED}\n\n<question>\n{question[:QUOTED]}\n</question>\n\n<answer>\n{answer[:QUOTED]}\n</answer>"
    )
    text, read = "", 0
    async with (
        asyncio.timeout(patience),
        client.stream({"messages": [{"role": "user", "content": prompt}]}) as chunks,
    ):
        async for several in chunks:
            for said in map(piece, several):
                text += said.content
                read += len(said.content) + len(said.reasoning)
            if read > LONGEST:
                return ""
    return text
