"""What the pictures of conflicts and settings show: the same on every machine."""

from typing import Any

from regtui.registry.answers import iso
from regtui.registry.answers_access import GrantAnswer
from regtui.registry.answers_conflicts import ConflictAnswer, Side
from regtui.registry.outbox import OutboxEntry
from regtui.registry.remote import RemoteAnswer
from tests.tui.sample import NOW

MINUTE = 60_000_000
WAS = "# Sentiment of reviews\n\nTells positive from negative reviews in English.\n"
STANDS = WAS + "\n## Intended use\n\nSorting feedback; not for decisions about people.\n"
WANTED = WAS.replace("English", "English and French") + "\n## Intended use\n\nAnything.\n"


def identity(number: int) -> str:
    """Return an id that looks like one."""
    return f"{number * 0x1F3D5B79 & 0xFFFFFFFF:08x}-0000-7000-8000-{number * 0x9E3779B97F4A:012x}"


def side(number: int, author: str, minutes: int, value: Any, version: str | None = None) -> Side:
    at = iso(NOW - minutes * MINUTE)
    return Side(id=identity(number), value=value, version=version, author=author, at=at)


def conflict(place: int, kind: str, field: str, *sides: Side, **more: Any) -> ConflictAnswer:
    base, accepted, *candidates = sides
    return ConflictAnswer(
        id=identity(place), entity=identity(place + 50), kind=kind, model="nlp/Sentiment",
        number=more.get("number"), alias=more.get("alias"), dataset=None, field=field, state="open",
        base=base, accepted=accepted, candidates=candidates, resolution=None,
    )  # fmt: skip


CONFLICTS = [
    conflict(
        1, "model", "card",
        side(11, "ann", 2_000, WAS), side(12, "ben", 90, STANDS), side(13, "ann", 45, WANTED),
    ),
    conflict(
        2, "alias", "version",
        side(21, "ann", 3_000, "v3", "nlp/Sentiment@3"),
        side(22, "ben", 70, "v5", "nlp/Sentiment@5"),
        side(23, "ann", 65, "v6", "nlp/Sentiment@6"),
        alias="champion",
    ),
    conflict(
        3, "version", "description",
        side(31, "ann", 1_500, "Sweep 4, warm start"),
        side(32, "ben", 30, "Sweep 4, without the test split"),
        side(33, "cleo", 20, "Sweep 4 on the whole set"),
        number=4,
    ),
]  # fmt: skip


def entry(number: int, kind: str, state: str, minutes: int, **more: Any) -> OutboxEntry:
    known = {"model": "nlp/Sentiment", "values": {}, **more}
    created = (NOW - minutes * MINUTE) // 1000
    return OutboxEntry(
        id=identity(number),
        kind=kind,
        state=state,
        entity=identity(number),
        created=created,
        **known,
    )


OUTBOX = [
    entry(
        41, "model.create", "refused", 50, model="vision/plates", code="denied",
        reason="model.create needs the role contributor",
        hint="an admin of vision/plates gives it: `regtui grant add`",
    ),
    entry(
        42, "version.capture", "refused", 50, model="vision/plates", code="depends",
        reason="it depends on what was refused", cause=identity(41),
        values={"metrics/cer": {"value": 0.08, "step": None}},
    ),
    entry(43, "version.edit", "waiting", 4, values={"tags/env": "prod"}),
    entry(44, "comment.add", "waiting", 2, values={"text": "Better on long reviews."}),
]  # fmt: skip

REMOTE = RemoteAnswer(
    url="https://models.example.org", registry="lab", user="ann",
    roles=[("contributor", "nlp/*"), ("viewer", "*")], state="offline",
    synced=(NOW - 12 * MINUTE) // 1000, pending=2, refused=2, clock_ahead=0,
)  # fmt: skip

GRANTS = [
    GrantAnswer(id=identity(number), holder=holder, role=role, scope=scope)
    for number, (holder, role, scope) in enumerate(
        [
            ("ann", "contributor", "nlp/*"),
            ("ann", "viewer", "*"),
            ("ben", "admin", "*"),
            ("ci", "reporter", "nlp/Sentiment"),
            ("team:vision", "maintainer", "vision/*"),
        ],
        start=60,
    )
]
