"""Which containers there are: conversations that a client has made one of, or in which code ran for one.

They are kept in the records until they are deleted, or until nothing ran in them for `keep_days`.
"""

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass

from coderunner.runner import Records

MOST = 1_000
"""Containers that are listed, the latest ones."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container."""

    conversation: str
    """The name of its conversation."""
    name: str
    """As its client calls it."""
    created: int
    active: int
    """When it was made, and when code ran in it last: seconds since 1970."""


@dataclass(frozen=True, slots=True)
class KnownContainers:
    """Those of all owners. Everything raises RecordsUnavailable where the records fail."""

    records: Records

    async def note(self, owner: str, conversation: str, name: str = "") -> Container:
        """Take that there is such a container, and that it is used now; `name`: of a new one."""
        now = int(time.time())
        known = await self.find(owner, conversation)
        noted = Container(
            conversation,
            name or (known.name if known else conversation),
            known.created if known else now,
            now,
        )
        fields = {
            "conversation": noted.conversation,
            "name": noted.name,
            "created": noted.created,
            "active": noted.active,
        }
        await asyncio.to_thread(
            self.records.note_response, _key(owner, conversation), _digest(owner), json.dumps(fields)
        )
        return noted

    async def find(self, owner: str, conversation: str) -> Container | None:
        """An owner's container; None where there is none."""
        key = _key(owner, conversation)
        content = await asyncio.to_thread(self.records.response, key, _digest(owner))
        return Container(**json.loads(content)) if content else None

    async def all(self, owner: str) -> list[Container]:
        """An owner's containers, the one that was made first is the first."""
        contents = await asyncio.to_thread(self.records.responses, _beginning(owner), _digest(owner), MOST)
        return sorted((Container(**json.loads(each)) for each in contents), key=lambda each: each.created)

    async def delete(self, owner: str, conversation: str) -> None:
        """Forget one."""
        await asyncio.to_thread(self.records.delete_response, _key(owner, conversation), _digest(owner))


def _beginning(owner: str) -> str:
    return f"container:{_digest(owner)[:24]}:"


def _key(owner: str, conversation: str) -> str:
    return f"{_beginning(owner)}{_digest(conversation)[:24]}"


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "replace")).hexdigest()
