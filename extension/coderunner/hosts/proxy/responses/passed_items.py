"""The items of an endpoint that has the Responses API, at their places among ours. Pure."""

from collections.abc import Mapping
from typing import Any

from coderunner.models.responses.response_stream import ADDED, DONE

Event = dict[str, Any]


class PassedItems:
    """Items may be open at the same time; each has its place from its beginning."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        """`items`: all items of the response, to which they are added."""
        self._items = items
        self._places: dict[object, int] = {}
        """Those of the items that are open, by the endpoint's index."""

    def receive(self, event: Mapping[str, object]) -> list[Event]:
        """An event, for the client; nothing where it is of no item that is open."""
        kind, its = event.get("type"), event.get("item")
        if "output_index" not in event:
            return [] if kind in (ADDED, DONE) else [dict(event)]
        index = str(event["output_index"])
        item = dict(its) if isinstance(its, Mapping) else {}
        if kind == ADDED:
            self._places[index] = len(self._items)
            self._items.append(item)
        if index not in self._places:
            return []
        place = self._places.pop(index) if kind == DONE else self._places[index]
        if kind == DONE:
            self._items[place] = item
        return [{**event, "output_index": place}]

    def close(self) -> list[Event]:
        """The ends of those that are still open: their endpoint has ended before."""
        left, self._places = sorted(self._places.values()), {}
        return [{"type": DONE, "output_index": place, "item": self._items[place]} for place in left]
