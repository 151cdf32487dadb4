"""The tabs of a version's detail, one module each."""

from regtui.tui.widgets.tabs.base import DetailTab
from regtui.tui.widgets.tabs.context import ContextTab
from regtui.tui.widgets.tabs.discussion import DiscussionTab
from regtui.tui.widgets.tabs.files import FilesTab
from regtui.tui.widgets.tabs.history import HistoryTab
from regtui.tui.widgets.tabs.lineage import LineageTab
from regtui.tui.widgets.tabs.metrics import MetricsTab
from regtui.tui.widgets.tabs.overview import OverviewTab
from regtui.tui.widgets.tabs.params import ParamsTab

TABS: tuple[type[DetailTab], ...] = (
    OverviewTab,
    MetricsTab,
    ParamsTab,
    FilesTab,
    LineageTab,
    ContextTab,
    DiscussionTab,
    HistoryTab,
)
"""In their order."""

__all__ = ["TABS", "DetailTab"]
