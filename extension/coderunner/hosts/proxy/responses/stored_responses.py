"""The responses that clients refer to: kept in the records, each with what was new in it."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coderunner.hosts.proxy.client_api.chat_request import UnusableRequest
from coderunner.hosts.proxy.responses.input_items import Item
from coderunner.runner import Records

MOST = 1000
"""Responses one after the other that are followed back."""
NOT_KEPT = (
    "Response {which} is not known here: it was deleted, is older than `keep_days`, was not to be stored, or "
    "belongs to another key. Send the conversation as `input`."
)
TOO_LONG = f"More than {MOST} responses follow one another: send the conversation as `input`."


class NoSuchResponse(UnusableRequest):
    """A response that is not there for who asks."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response that has ended."""

    response: Mapping[str, Any]
    """As its client got it."""
    items: list[Item]
    """The new items of its request."""
    conversation: str
    """The name of its conversation."""


@dataclass(frozen=True, slots=True)
class StoredResponses:
    """Those of all owners. Everything raises RecordsUnavailable where the records fail."""

    records: Records

    async def keep(self, owner: str, stored: StoredResponse) -> None:
        """Save one."""
        fields = {
            "response": stored.response,
            "items": stored.items,
            "conversation": stored.conversation,
        }
        content = await asyncio.to_thread(json.dumps, fields)
        identity = str(stored.response["id"])
        await asyncio.to_thread(self.records.note_response, identity, _digest(owner), content)

    async def find(self, owner: str, identity: str) -> StoredResponse | None:
        """An owner's response; None where there is none."""
        content = await asyncio.to_thread(self.records.response, identity, _digest(owner))
        return StoredResponse(**json.loads(content)) if content else None

    async def delete(self, owner: str, identity: str) -> bool:
        """Forget one; False where there is none."""
        return await asyncio.to_thread(self.records.delete_response, identity, _digest(owner))

    async def before(self, owner: str, identity: str) -> tuple[list[Item], str]:
        """All items up to the end of a response, and its conversation. Raises NoSuchResponse."""
        turns: list[list[Item]] = []
        conversation = ""
        while identity:
            stored = await self.find(owner, identity)
            if stored is None:
                raise NoSuchResponse(NOT_KEPT.format(which=repr(identity[:80])))
            if len(turns) >= MOST:
                raise NoSuchResponse(TOO_LONG)
            conversation = conversation or stored.conversation
            turns.append([*stored.items, *stored.response["output"]])
            identity = str(stored.response.get("previous_response_id") or "")
        return [item for turn in reversed(turns) for item in turn], conversation


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "replace")).hexdigest()
