"""The tree of models: names are paths, so they fold like folders.

It is a table of the branches that are unfolded; a name that is both a model and the beginning of
others (`nlp` beside `nlp/sentiment`) is one branch that is both.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from regtui.registry.answers import ModelAnswer
from regtui.registry.production_marks import Marks
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.screens.models import ModelsScreen

Act = Callable[["RegtuiApp", ModelAnswer], Awaitable[None]]

ROOMY = 24
"""Cells from which on there is room for marks of production beside the names."""

NONE = Marks()
"""Nothing is live, and nothing is asked for."""


class Branch(Struct, frozen=True, kw_only=True):
    """One line of the tree.

    Attributes:
        path: The model's name, or what several names begin with; empty for everything.
        depth: How far it is indented.
        model: The model of this name; None for a mere folder.
        versions: How many versions are listed of it and everything below.
        has_children: Whether something is below it.
        is_open: Whether that is shown.
        live: How many deployments of it and everything below are live.
        asked: How many requests about it and everything below are open.
    """

    path: str
    depth: int
    model: ModelAnswer | None
    versions: int
    has_children: bool
    is_open: bool
    live: int = 0
    asked: int = 0

    @property
    def query(self) -> str:
        """What asks for the versions of it and all below."""
        return f'model:"{self.path}"' if self.path else ""


def branches(
    models: Sequence[ModelAnswer], opened: Iterable[str], marks: Marks = NONE
) -> list[Branch]:
    """Return the lines of the tree.

    Args:
        models: By name.
        opened: Paths that are unfolded.
        marks: What is live and asked for.
    """
    live, asked = _with_below(marks.live_of), _with_below(marks.asked_of)
    is_open = set(opened)
    own = {model.model: model for model in models}
    children: dict[str, list[str]] = {"": []}
    counts: dict[str, int] = {"": 0}
    for name, model in own.items():
        parts = name.split("/")
        listed = model.versions - model.archived
        counts[""] += listed
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            counts[path] = counts.get(path, 0) + listed
            above = "/".join(parts[: depth - 1])
            if path not in children:
                children[path] = []
                children[above].append(path)
    found: list[Branch] = []

    def add(path: str, depth: int) -> None:
        below = children[path]
        unfolded = path == "" or path in is_open
        found.append(
            Branch(
                path=path,
                depth=depth,
                model=own.get(path),
                versions=counts[path],
                has_children=bool(below),
                is_open=unfolded,
                live=live.get(path, 0),
                asked=asked.get(path, 0),
            )
        )
        if unfolded:
            for child in below:
                add(child, depth + 1)

    add("", 0)
    return found


def _with_below(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts of models, each added to those of all that hold it."""
    found: dict[str, int] = {}
    for name, count in counts.items():
        parts = name.split("/")
        for depth in range(len(parts) + 1):
            path = "/".join(parts[:depth])
            found[path] = found.get(path, 0) + count
    return found


class ModelTree(VirtualTable[Branch]):
    """The models, with what is under the cursor as the scope of the versions."""

    SCOPES = ("models", "table")
    BINDINGS = [*bindings("models"), *bindings("table")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(
            _columns(0), row_id=lambda branch: branch.path, empty="no models yet", id=id
        )
        self.models: list[ModelAnswer] = []
        self._marks = NONE
        self._opened: set[str] = set()
        self._is_first = True

    def show_models(self, models: Sequence[ModelAnswer], marks: Marks = NONE) -> None:
        """Show these models, with the same branches unfolded and the cursor where it was."""
        self.models, self._marks = list(models), marks
        if self._is_first and len(models) <= 200:  # noqa: PLR2004 -- what one can take in
            parts = [model.model.split("/")[:-1] for model in models]
            self._opened = {"/".join(p[:n]) for p in parts for n in range(1, len(p) + 1)}
        self._is_first = not models
        self._show()

    def on_resize(self) -> None:
        """Show marks of production where there is room for them."""
        if self._marks:
            self._show()

    def go_to(self, path: str) -> None:
        """Put the cursor on a model, unfolding what is around it."""
        parts = path.split("/")
        self._opened |= {"/".join(parts[:n]) for n in range(1, len(parts))}
        self._show(path)

    def why_not(self, action: Action) -> str | None:
        """Tell why an action on a model is not possible here."""
        branch = self.current
        needs = {"edit", "card", "archive", "delete", "copy"}
        if (
            action.scope == "models"
            and action.name in needs
            and (branch is None or not branch.model)
        ):
            return "put the cursor on a model first"
        return None

    def do_fold(self) -> None:
        """Fold the branch, or go to what holds it."""
        branch = self.current
        if branch is None:
            return
        if branch.is_open and branch.has_children and branch.path:
            self._opened.discard(branch.path)
            self._show()
        else:
            self._show(branch.path.rpartition("/")[0])

    def do_unfold(self) -> None:
        """Unfold the branch."""
        branch = self.current
        if branch is not None and branch.has_children:
            self._opened.add(branch.path)
            self._show()

    def do_new(self) -> None:
        """Make a model, beside the one under the cursor or in the folder there."""
        from regtui.tui.acts.models import create

        branch = self.current
        if branch is not None:
            folder = branch.path.rpartition("/")[0] if branch.model is not None else branch.path
            start_act(self, create, folder)

    def do_edit(self) -> None:
        """Change values of the model."""
        from regtui.tui.acts.values import edit_model

        self._run(edit_model)

    def do_card(self) -> None:
        """Write the model's card."""
        from regtui.tui.acts.cards import edit_model_card

        self._run(edit_model_card)

    def do_archive(self) -> None:
        """Archive the model, or restore it."""
        from regtui.tui.acts.models import archive

        self._run(archive)

    def do_delete(self) -> None:
        """Delete the model."""
        from regtui.tui.acts.models import delete

        self._run(delete)

    def do_copy(self) -> None:
        """Copy name, id or JSON."""
        from regtui.tui.acts.copies import copy_model

        self._run(copy_model)

    def do_open(self) -> None:
        """Unfold a branch, fold it again; a model's versions get the focus."""
        branch = self.current
        if branch is not None and branch.has_children and branch.model is None and branch.path:
            (self.do_fold if branch.is_open else self.do_unfold)()
        elif branch is not None:
            # At once, not by a message: keys that are typed already must find the focus moved.
            cast("ModelsScreen", self.screen).focus_versions()

    def _run(self, act: Act) -> None:
        if self.current is not None and self.current.model is not None:
            start_act(self, act, self.current.model)

    def _show(self, path: str | None = None) -> None:
        current = self.current
        wanted = path if path is not None else (current.path if current is not None else "")
        rows = branches(self.models, self._opened, self._marks)
        places = {branch.path: place for place, branch in enumerate(rows)}
        while wanted and wanted not in places:
            wanted = wanted.rpartition("/")[0]
        marks = max((len(_production(branch)[0]) for branch in rows), default=0)
        made = _columns(
            max((branch.versions for branch in rows), default=0),
            marks if self.size.width >= ROOMY else 0,
        )
        if [column.width for column in made] != [column.width for column in self.columns]:
            self.show_columns(made)
        self.show_rows(rows, cursor=places.get(wanted, 0))


def _name(branch: Branch) -> Painted:
    if not branch.path:
        return "all models", "dim"
    mark = signs().leaf
    if branch.has_children:
        mark = signs().open if branch.is_open else signs().closed
    name = branch.path.rpartition("/")[2]
    text = "  " * (branch.depth - 1) + f"{mark} {name}"
    if branch.model is not None and branch.model.state != "active":
        return text + f" ({branch.model.state})", "dim"
    return text, "" if branch.model is not None else "primary"


def _count(branch: Branch) -> Painted:
    return f"{branch.versions:,}", "dim"


def _production(branch: Branch) -> Painted:
    """Return how much of it is live, and how much is asked for."""
    parts = [f"{signs().live}{branch.live:,}"] if branch.live else []
    parts += [f"{signs().unknown}{branch.asked:,}"] if branch.asked else []
    return " ".join(parts), "success" if branch.live else "warning"


def _columns(most: int, marks: int = 0) -> tuple[Column, ...]:
    """Return the columns where the highest count is this one: names get what it leaves.

    Args:
        most: The highest count of versions.
        marks: Cells of the longest mark of production; without any there is no column for them.
    """
    return (
        Column("model", "Models", 12, _name, stretch=1, keeps_end=True),
        *([Column("production", "", marks, _production, "right")] if marks else []),
        Column("versions", "", len(f"{most:,}"), _count, "right"),
    )
