"""The tabs of a version's detail, one module each."""

from regtui.tui.widgets.tabs.base import DetailTab
from regtui.tui.widgets.tabs.overview import OverviewTab

TABS: tuple[type[DetailTab], ...] = (OverviewTab,)
"""In their order."""

__all__ = ["TABS", "DetailTab"]
