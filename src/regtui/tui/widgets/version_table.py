"""The list of versions, and what can be done to them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from regtui.registry.answers import VersionAnswer
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.key_names import key_of
from regtui.tui.version_columns import VersionRow
from regtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.screens.models import ModelsScreen

Act = Callable[["RegtuiApp", list[VersionAnswer]], Awaitable[None]]


class VersionTable(VirtualTable[VersionRow]):
    """Versions; actions work on the marked ones, else on the one under the cursor."""

    SCOPES = ("versions", "table")
    BINDINGS = [*bindings("versions"), *bindings("table")]

    @property
    def chosen_versions(self) -> list[VersionAnswer]:
        """The marked versions, else the one under the cursor."""
        return [row.version for row in self.chosen]

    def grow(self, total: int) -> None:
        """Take in how many rows there are in all, where the first of them are shown already."""
        self.show(total, dict(self._pages), cursor=self.cursor)

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "versions":
            return None
        needs_none = {"unmark", "sort", "columns", "maximize", "mark"}
        if action.name not in needs_none and not self.chosen:
            return "there is no version under the cursor"
        if len(self.marks) > 1 and not action.many and action.name not in needs_none:
            key = key_of(self.regtui, "versions.unmark")
            return f"{action.text.lower()} works on one version: take the marks away first ({key})"
        return None

    def do_open(self) -> None:
        """Go to the detail of the version."""
        # At once, not by a message: keys that are typed already must find the focus moved.
        if self.current is not None:
            cast("ModelsScreen", self.screen).open_version()

    def do_mark(self) -> None:
        """Mark the version."""
        self.toggle_mark()

    def do_unmark(self) -> None:
        """Take all marks away."""
        self.unmark()

    def do_compare(self) -> None:
        """Compare the marked versions."""
        from regtui.tui.acts.comparing import compare

        self._run(compare)

    def do_edit(self) -> None:
        """Change values of the version."""
        from regtui.tui.acts.values import edit_version

        self._run(edit_version)

    def do_card(self) -> None:
        """Write the card of the version's model."""
        from regtui.tui.acts.cards import edit_card

        self._run(edit_card)

    def do_alias(self) -> None:
        """Set an alias, or remove one."""
        from regtui.tui.acts.aliases import set_alias

        self._run(set_alias)

    def do_promote(self) -> None:
        """Ask for an alias or environment to be moved to the version."""
        from regtui.tui.acts.promoting import promote

        self._run(promote)

    def do_deploy(self) -> None:
        """Record that the version is deployed."""
        from regtui.tui.acts.deploying import deploy

        self._run(deploy)

    def do_revert(self) -> None:
        """Move an alias back."""
        from regtui.tui.acts.aliases import revert_alias

        self._run(revert_alias)

    def do_tag(self) -> None:
        """Set or remove a tag."""
        from regtui.tui.acts.values import tag_versions

        self._run(tag_versions)

    def do_comment(self) -> None:
        """Say something about the version."""
        from regtui.tui.acts.comments import comment

        self._run(comment)

    def do_checkout(self) -> None:
        """Write the files into a folder."""
        from regtui.tui.acts.contents import check_out

        self._run(check_out)

    def do_verify(self) -> None:
        """Compare the stored files with their digests."""
        from regtui.tui.acts.contents import verify

        self._run(verify)

    def do_archive(self) -> None:
        """Archive the versions, or restore them."""
        from regtui.tui.acts.states import archive_versions

        self._run(archive_versions)

    def do_delete(self) -> None:
        """Delete the versions."""
        from regtui.tui.acts.states import delete_versions

        self._run(delete_versions)

    def do_copy(self) -> None:
        """Copy reference, id, digest, path or JSON."""
        from regtui.tui.acts.copies import copy_version

        self._run(copy_version)

    def do_sort(self) -> None:
        """Choose the column to sort by."""
        from regtui.tui.acts.listing import choose_sort

        self._run(choose_sort)

    def do_columns(self) -> None:
        """Choose the columns."""
        from regtui.tui.acts.listing import choose_columns

        self._run(choose_columns)

    def do_maximize(self) -> None:
        """Give the list the whole screen, and back."""
        self.screen.toggle_class("-zoom-versions")

    def _run(self, act: Act) -> None:
        start_act(self, act, self.chosen_versions)
