"""The outbox as rows: each operation below the one that it depends on."""

from collections.abc import Sequence

from msgspec import Struct

from regtui.registry.outbox import OutboxEntry


class OutboxRow(Struct, frozen=True):
    """An operation of the outbox, and how many refused ones it hangs below."""

    entry: OutboxEntry
    depth: int = 0


def outbox_rows(entries: Sequence[OutboxEntry]) -> list[OutboxRow]:
    """Return refused operations as a tree by their causes, then those that wait; oldest first."""
    refused = [entry for entry in entries if entry.state == "refused"]
    known = {entry.id for entry in refused}
    below: dict[str, list[OutboxEntry]] = {}
    for entry in refused:
        below.setdefault(entry.cause if entry.cause in known else "", []).append(entry)
    rows: list[OutboxRow] = []
    left = [(entry, 0) for entry in reversed(below.pop("", []))]
    while left:
        entry, depth = left.pop()
        rows.append(OutboxRow(entry, depth))
        left += [(one, depth + 1) for one in reversed(below.pop(entry.id, []))]
    # A circle of causes can't be, but nothing may be hidden by one.
    rows += [OutboxRow(entry) for entries in below.values() for entry in entries]
    return rows + [OutboxRow(entry) for entry in entries if entry.state != "refused"]


def causes(entry: OutboxEntry, entries: Sequence[OutboxEntry]) -> list[OutboxEntry]:
    """Return the refused operations that one depends on, the nearest first."""
    known = {one.id: one for one in entries}
    found: list[OutboxEntry] = []
    cause = known.get(entry.cause or "")
    while cause is not None and cause not in found:
        found.append(cause)
        cause = known.get(cause.cause or "")
    return found
