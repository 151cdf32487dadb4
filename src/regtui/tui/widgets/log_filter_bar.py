"""The filter of the activity: one line, with what is wrong under its character."""

from rich.cells import cell_len
from rich.text import Text
from textual import events

from regtui.core.query.errors import QueryError
from regtui.tui.actions import bindings
from regtui.tui.widgets.filter_line import FilterLine


class LogFilterBar(FilterLine):
    """One line to type in; `esc` clears it, and leaves it when it is empty."""

    EXAMPLE = "team/model@7 author:ann kind:version.edit since:7d"
    COUNTED = "operations"
    TYPING = 0.1
    SCOPES = ("logfilter",)
    BINDINGS = bindings("logfilter", priority=True)
    DEFAULT_CSS = "LogFilterBar .filter--below { max-height: 3; }"

    def show_error(self, error: QueryError | None) -> None:
        """Show what is wrong under its character; None where nothing is."""
        self.set_class(error is not None, "-faulty")
        if error is not None:
            room = max(self.size.width - 5, 1)
            before = min(cell_len(error.query[: error.position]), room // 2)
            said = f"{error.message}; {error.hint}" if error.hint else error.message
            self.below.update(Text(" " * before + "^ " + said))

    def do_apply(self) -> None:
        """Keep the filter and go to the operations."""
        self._tell()
        self.post_message(self.Left())

    def on_key(self, event: events.Key) -> None:
        """Go down to the operations; the rest is every line's."""
        if event.key == "down":
            event.stop()
            self.do_apply()
