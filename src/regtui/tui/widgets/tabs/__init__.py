"""The tabs of a version's detail, one module each, which is loaded when its tab is looked at."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from msgspec import Struct

from regtui.registry.answers import VersionAnswer
from regtui.tui.widgets.tabs.base import DetailTab


class Tab(Struct, frozen=True, kw_only=True):
    """What is known of a tab before its module is loaded.

    Attributes:
        name: What it is known by; its module and its class are called after it.
        title: Its title.
        short: Its title where there is little room; empty for the same.
        count: Tells how much of a version it has, where that costs nothing to know.
    """

    name: str
    title: str
    short: str = ""
    count: Callable[[VersionAnswer], int] | None = None

    def load(self) -> type[DetailTab]:
        """Return its class; the first time, its module is loaded."""
        module = import_module(f"{__name__}.{self.name}")
        return cast("type[DetailTab]", getattr(module, f"{self.name.capitalize()}Tab"))


TABS = (
    Tab(name="overview", title="Overview"),
    Tab(name="metrics", title="Metrics", count=lambda version: len(version.metrics)),
    Tab(name="params", title="Params", count=lambda version: len(version.params)),
    Tab(name="files", title="Files", count=lambda version: version.files),
    Tab(name="lineage", title="Lineage"),
    Tab(name="context", title="Context"),
    Tab(name="checks", title="Checks"),
    Tab(name="deployments", title="Deployments", short="Live"),
    Tab(name="discussion", title="Discussion", short="Talk"),
    Tab(name="history", title="History"),
)
"""In their order."""
