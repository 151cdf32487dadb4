"""Actions: everything that the app can do, in one table.

Keys, footer, palette, help and the app's page in the documentation all come from here, so none of
them can forget an action or tell another key than the one that works. A *scope* is where an action
applies: on a kind of widget, on a screen, or everywhere. The key of a narrower scope wins.

A widget or screen that has a scope calls `bindings` for its class and has a method `do_NAME` for
each action of it (`regtui.tui.acting`).
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from textual.binding import Binding, BindingType

from regtui.core.errors import BadInput

Harm = Literal["none", "undoable", "lasting"]


class Action(Struct, frozen=True):
    """One thing to do.

    Attributes:
        id: `scope.name`; what `config.toml` calls it.
        keys: The keys that do it, the first one is shown.
        text: A word or two for the footer.
        help: One sentence for help and documentation.
        shown: Whether the footer shows it.
        many: Whether it works on all marked rows at once.
        harm: What it does to the registry: nothing, what `undo` takes back, or what stays done.
        command: The subcommand that does the same; empty where there is none.
    """

    id: str
    keys: tuple[str, ...]
    text: str
    help: str
    shown: bool = True
    many: bool = False
    harm: Harm = "none"
    command: str = ""

    @property
    def scope(self) -> str:
        """Where it applies."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """What it is called within its scope."""
        return self.id.partition(".")[2]


SCOPES = {
    "app": "Everywhere",
    "table": "In tables and trees",
    "versions": "On a version",
    "browse": "On the models screen",
    "models": "In the tree of models",
    "detail": "In the detail of a version",
    "checks": "In the checks of a version",
    "discussion": "In a discussion",
    "filter": "In the filter bar",
    "compare": "On the compare screen",
    "reviews": "On the reviews screen",
    "deployments": "On the deployments screen",
    "watch": "On the watch screen",
    "conflicts": "On the conflicts screen",
    "activity": "On the activity screen",
    "logfilter": "In the filter of the activity",
    "settings": "On the settings screen",
    "picker": "In a choice",
    "form": "In a form",
    "editor": "In an editor",
}
"""What each scope is called in the help."""

ACTIONS: tuple[Action, ...] = (
    Action(
        "app.sync",
        ("s",),
        "Sync",
        "Send what waits to the server and read what is newer; again stops it.",
        harm="lasting",
        command="sync",
    ),
    Action(
        "app.undo", ("u",), "Undo", "Take back your last change.", harm="undoable", command="undo"
    ),
    Action("app.quit", ("q", "ctrl+q"), "Quit", "Leave the app."),
    Action("app.models", ("1",), "Models", "Go to models and their versions."),
    Action("app.compare", ("2",), "Compare", "Go to the comparison of the marked versions."),
    Action(
        "app.reviews",
        ("3",),
        "Reviews",
        "Go to promotion requests, and to what each of them takes.",
        command="requests",
    ),
    Action(
        "app.deployments",
        ("4",),
        "Deployments",
        "Go to what is live where, and to what was.",
        command="deployments",
    ),
    Action(
        "app.watch",
        ("5",),
        "Watch",
        "Go to watched folders, and what is captured of them.",
        command="watch status",
    ),
    Action(
        "app.conflicts",
        ("6",),
        "Conflicts",
        "Go to conflicts, and to what waits for the server or was refused.",
        command="conflicts",
    ),
    Action("app.activity", ("7",), "Activity", "Go to what was done, by whom.", command="log"),
    Action(
        "app.settings",
        ("8",),
        "Settings",
        "Go to the server and who may do what there, theme and keys.",
        command="remote show",
    ),
    Action("app.help", ("question_mark", "f1"), "Help", "Show what can be done here."),
    Action("app.palette", ("ctrl+p",), "Palette", "Find any action by its name."),
    Action(
        "app.redo",
        ("ctrl+r",),
        "Redo",
        "Take back your last undo.",
        shown=False,
        harm="undoable",
        command="redo",
    ),
    Action(
        "app.back", ("escape",), "Back", "Go back one step; it never leaves the app.", shown=False
    ),
    Action("app.refresh", ("f5",), "Refresh", "Read the registry anew.", shown=False),
    Action("app.theme", ("ctrl+t",), "Theme", "Change to the next theme.", shown=False),
    Action(
        "app.jump",
        ("ctrl+o",),
        "Jump",
        "Show a letter on every pane, and go to the one you type.",
        shown=False,
    ),
    Action("app.screenshot", ("f12",), "Picture", "Save the screen as an SVG file.", shown=False),
    Action("table.down", ("j", "down"), "Down", "Go one row down.", shown=False),
    Action("table.up", ("k", "up"), "Up", "Go one row up.", shown=False),
    Action(
        "table.page_down",
        ("ctrl+d", "pagedown"),
        "Page down",
        "Go half a screen down.",
        shown=False,
    ),
    Action("table.page_up", ("ctrl+u", "pageup"), "Page up", "Go half a screen up.", shown=False),
    Action("table.top", ("g", "home"), "Top", "Go to the first row.", shown=False),
    Action("table.bottom", ("G", "end"), "Bottom", "Go to the last row.", shown=False),
    Action("table.left", ("left",), "Left", "Scroll to columns on the left.", shown=False),
    Action("table.right", ("right",), "Right", "Scroll to columns on the right.", shown=False),
    Action(
        "table.goto",
        ("ctrl+g",),
        "Go to row",
        "Go to a row by its number, or a percentage.",
        shown=False,
    ),
    Action("table.open", ("enter",), "Open", "Open the row under the cursor."),
    Action("models.fold", ("h",), "Fold", "Fold the branch, or go to what holds it.", shown=False),
    Action("models.unfold", ("l",), "Unfold", "Unfold the branch.", shown=False),
    Action("models.new", ("n",), "New", "Make a model.", harm="undoable", command="model create"),
    Action(
        "models.edit",
        ("e",),
        "Edit",
        "Change description, tags, owners and primary metric of the model.",
        harm="undoable",
        command="edit",
    ),
    Action(
        "models.card", ("E",), "Card", "Write the model's card.", harm="undoable", command="edit"
    ),
    Action(
        "models.archive",
        ("A",),
        "Archive",
        "Archive the model, or restore an archived one.",
        shown=False,
        harm="undoable",
        command="model archive",
    ),
    Action(
        "models.delete",
        ("D",),
        "Delete",
        "Delete the model.",
        shown=False,
        harm="undoable",
        command="model delete",
    ),
    Action("models.copy", ("y",), "Copy", "Copy name, id or JSON of the model.", shown=False),
    Action("browse.filter", ("slash",), "Filter", "Filter versions by the query language."),
    Action("versions.mark", ("space",), "Mark", "Mark the version, for what works on many."),
    Action(
        "versions.unmark", ("ctrl+space", "U"), "Unmark all", "Take all marks away.", shown=False
    ),
    Action(
        "versions.compare",
        ("c",),
        "Compare",
        "Compare the marked versions; one alone is compared with the one before it.",
        many=True,
        command="diff",
    ),
    Action(
        "versions.edit",
        ("e",),
        "Edit",
        "Change description, tags, metrics and params.",
        harm="undoable",
        command="edit",
    ),
    Action(
        "versions.card",
        ("E",),
        "Card",
        "Write the card of the version's model.",
        shown=False,
        harm="undoable",
        command="edit",
    ),
    Action(
        "versions.alias",
        ("a",),
        "Alias",
        "Set an alias to the version, or remove one.",
        harm="undoable",
        command="alias set",
    ),
    Action(
        "versions.promote",
        ("p",),
        "Promote",
        "Ask for an alias or environment to be moved to the version.",
        harm="undoable",
        command="promote",
    ),
    Action(
        "versions.deploy",
        ("d",),
        "Deploy",
        "Record that the version is deployed in an environment.",
        harm="lasting",
        command="deploy",
    ),
    Action(
        "versions.revert",
        ("R",),
        "Revert",
        "Move an alias back to where it pointed before.",
        shown=False,
        harm="undoable",
        command="revert",
    ),
    Action(
        "versions.tag",
        ("t",),
        "Tag",
        "Set or remove a tag on the marked versions.",
        many=True,
        harm="undoable",
        command="edit",
    ),
    Action(
        "versions.comment",
        ("m",),
        "Comment",
        "Say something about the version.",
        shown=False,
        harm="undoable",
        command="comment",
    ),
    Action(
        "versions.checkout",
        ("o",),
        "Check out",
        "Write the files of the version into a folder.",
        command="checkout",
    ),
    Action(
        "versions.verify",
        ("V",),
        "Verify",
        "Compare the stored files with their digests.",
        shown=False,
        many=True,
        command="verify",
    ),
    Action(
        "versions.archive",
        ("A",),
        "Archive",
        "Archive the marked versions, or restore archived ones.",
        shown=False,
        many=True,
        harm="undoable",
        command="version archive",
    ),
    Action(
        "versions.delete",
        ("D",),
        "Delete",
        "Delete the marked versions.",
        shown=False,
        many=True,
        harm="undoable",
        command="version delete",
    ),
    Action("versions.copy", ("y",), "Copy", "Copy reference, id, digest, path or JSON."),
    Action(
        "versions.sort",
        ("S",),
        "Sort",
        "Choose the column to sort by; again turns the order.",
        shown=False,
    ),
    Action("versions.columns", ("v",), "Columns", "Choose the columns.", shown=False),
    Action(
        "versions.maximize",
        ("z",),
        "Zoom",
        "Give the pane the whole screen, and back.",
        shown=False,
    ),
    Action("detail.next", ("right_square_bracket", "l"), "Next tab", "Go to the next tab."),
    Action(
        "detail.previous", ("left_square_bracket", "h"), "Previous tab", "Go to the tab before."
    ),
    Action(
        "detail.smooth",
        ("plus",),
        "Smooth",
        "Smooth the curves more, then not at all.",
        shown=False,
    ),
    Action(
        "detail.later",
        ("greater_than_sign",),
        "Later",
        "Leave the first half of the curves out, on a scale of what is left.",
        shown=False,
    ),
    Action(
        "detail.earlier",
        ("less_than_sign",),
        "Earlier",
        "Show the first half of the curves again.",
        shown=False,
    ),
    Action(
        "detail.links",
        ("f",),
        "Links",
        "Choose a link of the card, and open it in the browser.",
        shown=False,
    ),
    Action("detail.maximize", ("z",), "Zoom", "Give the detail the whole screen, and back."),
    Action(
        "detail.back",
        ("escape",),
        "Back",
        "Go back: out of a file, out of the zoom, to the versions.",
        shown=False,
    ),
    Action(
        "checks.run",
        ("r",),
        "Run",
        "Run the check under the cursor on the version, here and now.",
        harm="lasting",
        command="check run",
    ),
    Action(
        "checks.all",
        ("R",),
        "Run all",
        "Run all checks of the model that may run here.",
        harm="lasting",
        command="check run",
    ),
    Action(
        "discussion.comment",
        ("m",),
        "Comment",
        "Say something about the version.",
        harm="undoable",
        command="comment",
    ),
    Action(
        "discussion.edit",
        ("e",),
        "Edit",
        "Change the marked comment, if it is yours.",
        harm="undoable",
        command="comment edit",
    ),
    Action(
        "discussion.withdraw",
        ("D",),
        "Withdraw",
        "Withdraw the marked comment, if it is yours.",
        shown=False,
        harm="undoable",
        command="comment rm",
    ),
    Action("filter.apply", ("enter",), "Apply", "Keep the filter and go to the versions."),
    Action("filter.complete", ("tab",), "Complete", "Take the completion."),
    Action(
        "filter.older", ("up",), "Older", "Take the filter before from the history.", shown=False
    ),
    Action("filter.newer", ("down",), "Newer", "Take the next filter of the history.", shown=False),
    Action("filter.save", ("ctrl+s",), "Save", "Save the filter under a name, or remove it."),
    Action("filter.saved", ("ctrl+f",), "Saved", "Choose a saved filter."),
    Action("filter.clear", ("ctrl+l",), "Clear", "Show everything again."),
    Action("compare.differences", ("d",), "Differences", "Show only what differs, or everything."),
    Action("compare.baseline", ("b",), "Baseline", "Compare with the next version instead."),
    Action(
        "compare.remove",
        ("x",),
        "Take out",
        "Take the version at the cursor's column out of the comparison.",
    ),
    Action("compare.export", ("w",), "Export", "Write the comparison as a Markdown file."),
    Action("compare.curves", ("C",), "Curves", "Show or hide the curves of the metric."),
    Action("compare.previous", ("h",), "Left", "Look at the column on the left.", shown=False),
    Action("compare.next", ("l",), "Right", "Look at the column on the right.", shown=False),
    Action(
        "reviews.approve",
        ("a",),
        "Approve",
        "Approve the request, and say why.",
        harm="lasting",
        command="review",
    ),
    Action(
        "reviews.reject",
        ("x",),
        "Reject",
        "Reject the request, and say why.",
        harm="lasting",
        command="review",
    ),
    Action(
        "reviews.clear",
        ("t",),
        "Take back",
        "Take back what you said to the request.",
        harm="lasting",
        command="review",
    ),
    Action(
        "reviews.apply",
        ("p",),
        "Apply",
        "Move the target as the request asks; every gate has to pass.",
        harm="lasting",
        command="request apply",
    ),
    Action(
        "reviews.comment",
        ("m",),
        "Comment",
        "Say something about the request.",
        harm="undoable",
        command="review",
    ),
    Action(
        "reviews.withdraw",
        ("D",),
        "Withdraw",
        "Take the request back; nothing moves then.",
        harm="lasting",
        command="request withdraw",
    ),
    Action(
        "reviews.glass",
        ("B",),
        "Break glass",
        "Move the target past its gates, as an admin and with a reason; it is flagged for ever.",
        shown=False,
        harm="lasting",
        command="request apply",
    ),
    Action(
        "reviews.compare",
        ("c",),
        "Compare",
        "Compare the version with what the target is at now, in everything.",
        command="diff",
    ),
    Action("reviews.next", ("right_square_bracket", "l"), "Next tab", "Go to the next tab."),
    Action(
        "reviews.previous",
        ("left_square_bracket", "h"),
        "Previous tab",
        "Go to the tab before.",
        shown=False,
    ),
    Action("reviews.go", ("v",), "View", "Go to the version.", shown=False),
    Action("reviews.copy", ("y",), "Copy", "Copy the short name of the request.", shown=False),
    Action(
        "deployments.deploy",
        ("d",),
        "Deploy",
        "Record that the version is deployed in an environment.",
        harm="lasting",
        command="deploy",
    ),
    Action(
        "deployments.rollback",
        ("r",),
        "Roll back",
        "Go back to the version that was live there before.",
        harm="lasting",
        command="deploy rollback",
    ),
    Action(
        "deployments.stop",
        ("x",),
        "Stop",
        "End the deployment; it stays in the history.",
        harm="lasting",
        command="deploy stop",
    ),
    Action(
        "deployments.state",
        ("t",),
        "State",
        "Take the deployment to the state that it is in by now.",
        harm="lasting",
        command="deploy state",
    ),
    Action(
        "deployments.environment",
        ("n",),
        "New environment",
        "Make an environment.",
        harm="lasting",
        command="env put",
    ),
    Action("deployments.go", ("v",), "View", "Go to the version.", shown=False),
    Action("deployments.copy", ("y",), "Copy", "Copy the short name.", shown=False),
    Action(
        "deployments.previous",
        ("h",),
        "Left",
        "Look at the environment on the left.",
        shown=False,
    ),
    Action(
        "deployments.next", ("l",), "Right", "Look at the environment on the right.", shown=False
    ),
    Action(
        "deployments.back",
        ("escape",),
        "Back",
        "Go back: out of the history of an environment, then to the models.",
        shown=False,
    ),
    Action(
        "watch.add",
        ("n",),
        "Watch a folder",
        "Watch another folder.",
        harm="lasting",
        command="watch add",
    ),
    Action(
        "watch.edit",
        ("e",),
        "Edit",
        "Change which states of the folder are kept, and under which name.",
        harm="lasting",
        command="watch add",
    ),
    Action(
        "watch.remove",
        ("x", "delete"),
        "Remove",
        "Watch the folder no more; what was captured stays.",
        harm="lasting",
        command="watch remove",
    ),
    Action(
        "watch.run",
        ("w",),
        "Start/stop",
        "Start a watcher of the rules in the background, or stop it.",
        harm="lasting",
        command="watch start",
    ),
    Action(
        "watch.test",
        ("t",),
        "Explain",
        "Tell what would be captured of what is under the cursor, and why or why not.",
        command="watch test",
    ),
    Action(
        "watch.kinds",
        ("f",),
        "Events",
        "Show all events, those of versions alone, or what went otherwise.",
        command="watch status",
    ),
    Action(
        "conflicts.stands",
        ("t",),
        "Keep as is",
        "Settle the conflict: keep what stands.",
        harm="undoable",
        command="resolve",
    ),
    Action(
        "conflicts.mine",
        ("m",),
        "Take mine",
        "Settle the conflict: take what you asked for.",
        harm="undoable",
        command="resolve",
    ),
    Action(
        "conflicts.edit",
        ("e",),
        "Edit",
        "Settle the conflict by another value, or make what was refused again with other values.",
        harm="lasting",
        command="resolve",
    ),
    Action(
        "conflicts.retry",
        ("r",),
        "Retry",
        "Make again what was refused, on what stands now, with what depends on it.",
        harm="lasting",
        command="outbox retry",
    ),
    Action(
        "conflicts.discard",
        ("x", "delete"),
        "Discard",
        "Let go what was refused, with what depends on it.",
        harm="lasting",
        command="outbox discard",
    ),
    Action(
        "conflicts.retry_all",
        ("R",),
        "Retry all",
        "Make everything again that was refused.",
        shown=False,
        harm="lasting",
        command="outbox retry",
    ),
    Action(
        "conflicts.discard_all",
        ("X",),
        "Discard all",
        "Let everything go that was refused.",
        shown=False,
        harm="lasting",
        command="outbox discard",
    ),
    Action(
        "conflicts.go", ("v",), "View", "Go to the version or model that it is about.", shown=False
    ),
    Action("conflicts.copy", ("y",), "Copy", "Copy the id.", shown=False),
    Action(
        "conflicts.resolved",
        ("f",),
        "Settled",
        "Show settled conflicts too, or open ones alone.",
        shown=False,
        command="conflicts",
    ),
    Action(
        "activity.filter",
        ("slash",),
        "Filter",
        "Filter by model, person, kind or age.",
        command="log",
    ),
    Action(
        "activity.undo",
        ("U",),
        "Undo this",
        "Take back the operation under the cursor.",
        harm="undoable",
        command="undo",
    ),
    Action(
        "activity.verify",
        ("V",),
        "Verify",
        "Prove that the history is what was done.",
        command="audit verify",
    ),
    Action("activity.go", ("enter",), "Go to", "Go to the version that it was done to."),
    Action("logfilter.apply", ("enter",), "Apply", "Keep the filter and go to the operations."),
    Action("logfilter.clear", ("ctrl+l",), "Clear", "Show everything again."),
    Action("settings.next", ("right_square_bracket", "l"), "Next tab", "Go to the next tab."),
    Action(
        "settings.previous",
        ("left_square_bracket", "h"),
        "Previous tab",
        "Go to the tab before.",
        shown=False,
    ),
    Action(
        "settings.sign",
        ("i",),
        "Sign in/out",
        "Connect to a server and sign in, or sign out.",
        harm="lasting",
        command="login",
    ),
    Action(
        "settings.approve",
        ("c",),
        "Let in",
        "Sign in another machine by the code that it shows.",
        shown=False,
        harm="lasting",
        command="login",
    ),
    Action(
        "settings.forget",
        ("F",),
        "Forget",
        "Forget the server, as long as its registry was not joined.",
        shown=False,
        harm="lasting",
        command="remote rm",
    ),
    Action(
        "settings.add",
        ("n",),
        "Add",
        "Add a person, team, grant, token or policy.",
        harm="lasting",
    ),
    Action(
        "settings.edit",
        ("e",),
        "Edit",
        "Change a name, members, a role, a policy, a setting or a key.",
        harm="lasting",
    ),
    Action(
        "settings.remove",
        ("x", "delete"),
        "Remove",
        "Disable a person, delete a team, take away a grant or policy, revoke a token or replica.",
        harm="lasting",
    ),
    Action(
        "settings.try",
        ("t",),
        "Try",
        "Tell which of today's versions would pass the policy.",
        shown=False,
        command="policy test",
    ),
    Action("settings.again", ("f5",), "Ask again", "Ask the server again.", shown=False),
    Action("picker.toggle", ("space",), "Choose", "Choose the row, or leave it out."),
    Action("picker.earlier", ("K", "shift+up"), "Earlier", "Move the row up."),
    Action("picker.later", ("J", "shift+down"), "Later", "Move the row down."),
    Action("picker.default", ("r",), "Default", "Choose what is chosen at first."),
    Action("picker.take", ("ctrl+s",), "Take", "Take what is chosen."),
    Action("form.edit", ("e",), "Edit", "Change the value in its place."),
    Action("form.add", ("n",), "Add", "Add a value to the field under the cursor."),
    Action("form.remove", ("x", "delete"), "Remove", "Take the value away, or leave it there."),
    Action("form.restore", ("r",), "Restore", "Put back the value that stood there before."),
    Action("form.write", ("E", "f4"), "Write", "Write the value in an editor.", shown=False),
    Action(
        "form.save", ("ctrl+s",), "Save", "Save what was changed.", harm="undoable", command="edit"
    ),
    Action("editor.save", ("ctrl+s",), "Save", "Save the text.", harm="undoable"),
    Action("editor.external", ("f4",), "$EDITOR", "Go on in your own editor."),
)
"""Everything that the app can do, in the order in which help lists it."""

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}


def of_scope(scope: str) -> list[Action]:
    """Return the actions of a scope."""
    return [action for action in ACTIONS if action.scope == scope]


def bindings(scope: str, *, priority: bool = False) -> list[BindingType]:
    """Return the bindings of a scope, for the class whose instances do its actions.

    Args:
        scope: One of `SCOPES`.
        priority: Whether its keys win over those of the focused widget.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"do('{action.name}')",
            action.text,
            show=action.shown,
            priority=priority,
            id=action.id,
        )
        for action in of_scope(scope)
    ]


def keymap(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that a person chose, by the id of the binding.

    Args:
        chosen: Keys by action, several with commas between.

    Raises:
        BadInput: There is no such action, or two actions of a scope share a key then.
    """
    for name in chosen:
        if name not in BY_ID:
            raise BadInput(f"there is no action {name!r}", "`?` and docs/app.md list them")
    for scope in SCOPES:
        _refuse_clashes(of_scope(scope), chosen)
    return dict(chosen)


def keys_of(action: Action, chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of an action: those that a person chose, else its own."""
    found = chosen.get(action.id)
    if found is None:
        return action.keys
    return tuple(key.strip() for key in found.split(",") if key.strip())


def _refuse_clashes(actions: Iterable[Action], chosen: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for action in actions:
        for key in keys_of(action, chosen):
            if key in taken:
                raise BadInput(
                    f"the key {key!r} does both {taken[key]} and {action.id}", "choose another one"
                )
            taken[key] = action.id
