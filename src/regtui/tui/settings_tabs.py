"""The tabs of the settings as rows: the server, who may do what there, and this app.

What the server alone knows is asked of it when somebody looks, in a thread; a row keeps the answer
that it shows, for what is done with it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from regtui.registry import Registry
from regtui.registry.answers import iso
from regtui.registry.definition_text import asks_text, protects_text
from regtui.registry.figures import age_text, roles_text
from regtui.tui.actions import ACTIONS, SCOPES, keys_of
from regtui.tui.safe_text import one_line
from regtui.tui.widgets.virtual_table import Column, Painted

if TYPE_CHECKING:
    from regtui.registry.remote import RemoteAnswer
    from regtui.tui.config import AppConfig

DIGITS = 8
"""Of an id, that people see."""


class Setting(Struct, frozen=True):
    """One row.

    Attributes:
        id: What it is known by in its tab.
        cells: What its columns show.
        of: What it shows: an answer of the server, or the value of a setting.
        style: Such as `dim`; empty for the usual one.
    """

    id: str
    cells: tuple[str, ...]
    of: Any = None
    style: str = ""


class SettingsTab(Struct, frozen=True):
    """One tab.

    Attributes:
        id: Its name in the program.
        title: Its name.
        short: Its name where room is short.
        columns: Heading, width and stretch of each column.
        ask: Asks the server for its rows; None where they are known here.
        is_here: Whether the registry itself knows, so that nobody has to be signed in.
        nothing: What stands there without rows.
    """

    id: str
    title: str
    short: str
    columns: tuple[tuple[str, int, int], ...]
    ask: Callable[[Registry], list[Setting]] | None = None
    nothing: str = ""
    is_here: bool = False


def token_id(identity: str) -> str:
    """Return what a token is called: the end of its id, which begins with its time."""
    return identity[-DIGITS:]


def columns_of(tab: SettingsTab) -> list[Column]:
    """Return the columns of a tab."""
    return [
        Column(title.lower() or str(place), title, width, _cell(place), stretch=stretch)
        for place, (title, width, stretch) in enumerate(tab.columns)
    ]


def _cell(place: int) -> Callable[[Setting], Painted]:
    def paint(row: Setting) -> Painted:
        text = row.cells[place] if place < len(row.cells) else ""
        return (text, row.style) if row.style else text

    return paint


def server_rows(remote: "RemoteAnswer | None") -> list[Setting]:
    """Return what is known of the server; none without one."""
    if remote is None:
        return []
    synced = "never" if remote.synced is None else f"{age_text(iso(remote.synced * 1000))} ago"
    rows = [("Server", remote.url), ("State", remote.state)]
    if remote.user is not None:
        roles = roles_text(remote.roles, "none")
        rows += [("Registry", remote.registry or ""), ("You", remote.user), ("Roles", roles)]
        rows += [("Last sync", synced), ("Waiting", f"{remote.pending:,}")]
        rows += [("Refused", f"{remote.refused:,}")]
    if abs(remote.clock_ahead) > 1:
        rows.append(("Clock", f"{remote.clock_ahead:+,} s against the server's"))
    return [Setting(name, (name, one_line(value))) for name, value in rows]


def app_rows(config: "AppConfig", theme: str) -> list[Setting]:
    """Return what a person can choose in this app, its keys last."""
    by_itself = "yes" if config.sync else "no, with the key alone"
    rows = [
        Setting("theme", ("Theme", theme, "app.theme"), theme),
        Setting("sync", ("Sync by itself", by_itself, "app.sync"), config.sync),
        Setting("file", ("Kept in", str(config.file), ""), None, "dim"),
    ]
    for action in ACTIONS:
        keys = " ".join(keys_of(action, config.keys))
        where = f"{SCOPES[action.scope]}: {action.text}"
        style = "accent" if action.id in config.keys else ""
        rows.append(Setting(action.id, (where, keys, action.id), action, style))
    return rows


def _users(registry: Registry) -> list[Setting]:
    return [
        Setting(
            one.id,
            (
                one.name,
                one.display_name or "",
                one.state if one.owner is None else f"{one.state}, acts for {one.owner}",
                roles_text(one.roles, ""),
            ),
            one,
            "" if one.state == "active" else "dim",
        )
        for one in registry.users()
    ]


def _teams(registry: Registry) -> list[Setting]:
    return [
        Setting(
            one.id,
            (one.name, ", ".join(one.members), one.description or "", one.state),
            one,
            "" if one.state == "active" else "dim",
        )
        for one in registry.teams()
    ]


def _grants(registry: Registry) -> list[Setting]:
    return [Setting(one.id, (one.holder, one.role, one.scope), one) for one in registry.grants()]


def _tokens(registry: Registry) -> list[Setting]:
    return [
        Setting(
            one.id,
            (
                token_id(one.id),
                one.user,
                one.name,
                one.state,
                "all" if one.roles is None else roles_text(one.roles, ""),
                _age(one.used, "never"),
                "never" if one.expires is None else one.expires[:10],
            ),
            one,
            "" if one.state == "good" else "dim",
        )
        for one in registry.tokens()
    ]


def _replicas(registry: Registry) -> list[Setting]:
    return [
        Setting(
            one.id,
            (
                one.id[:DIGITS],
                one.user,
                f"{one.host or ''}{' (this one)' if one.here else ''}",
                one.state,
                _age(one.seen, ""),
            ),
            one,
            "" if one.state == "active" else "dim",
        )
        for one in registry.replicas()
    ]


def _policies(registry: Registry) -> list[Setting]:
    return [
        Setting(
            one.id,
            (one.policy, one.models, protects_text(one), asks_text(one), one.author),
            one,
        )
        for one in registry.policies()
    ]


def _age(moment: str | None, never: str) -> str:
    return never if moment is None else f"{age_text(moment)} ago"


TABS = (
    SettingsTab("server", "Server", "Server", (("", 12, 0), ("", 40, 1))),
    SettingsTab(
        "people",
        "People",
        "People",
        (("Name", 14, 1), ("Called", 14, 1), ("State", 10, 1), ("May", 24, 2)),
        _users,
    ),
    SettingsTab(
        "teams",
        "Teams",
        "Teams",
        (("Name", 14, 1), ("Members", 24, 2), ("For", 16, 1), ("State", 8, 0)),
        _teams,
        "there are no teams",
    ),
    SettingsTab(
        "grants",
        "Grants",
        "Grants",
        (("Who", 18, 1), ("May", 12, 0), ("Where", 24, 2)),
        _grants,
        "nobody may do anything",
    ),
    SettingsTab(
        "tokens",
        "Tokens",
        "Tokens",
        (
            ("Id", 8, 0), ("Of", 10, 1), ("For", 12, 1), ("State", 8, 0), ("May", 12, 2),
            ("Used", 8, 0), ("Until", 10, 0),
        ),
        _tokens,
        "there are no tokens",
    ),
    SettingsTab(
        "replicas",
        "Replicas",
        "Replicas",
        (("Id", 8, 0), ("Of", 12, 1), ("Machine", 20, 2), ("State", 8, 0), ("Seen", 9, 0)),
        _replicas,
        "no registry has synced yet",
    ),
    SettingsTab(
        "policies",
        "Policies",
        "Policies",
        (
            ("Name", 12, 1), ("Models", 10, 1), ("Protects", 14, 1), ("Asks", 20, 2), ("By", 8, 0),
        ),
        _policies,
        "nothing is protected; {add} writes a policy",
        is_here=True,
    ),
    SettingsTab("app", "This app", "App", (("", 30, 2), ("", 24, 2), ("", 18, 1))),
)  # fmt: skip
"""The tabs, in the order in which they are shown."""

BY_ID = {tab.id: tab for tab in TABS}
