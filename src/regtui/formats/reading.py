"""What one reading has found and used up.

One `Reading` goes through all pickles of a file, also those inside of others, so that the verdict
is the worst of all and the bounds are those of the file, not of each part.

Invariants: a name is judged when it is met, before it is shown or cut, so a limit never hides what
is dangerous. The verdict only ever gets worse.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from regtui.formats.allowed import judge
from regtui.formats.streams import Ended, Excess
from regtui.formats.values import LIMITS, Facts, Limits, Safety, Tensor, Value

if TYPE_CHECKING:
    from regtui.formats.symbolic import Symbol

_SHOWN = 1_000  # names; honest files have fewer than a hundred
_WORSE = {"no-code": 0, "tensors-only": 1, "needs-classes": 2, "dangerous": 3}


class Reading:
    """The verdict, names and budgets of a file that is being read.

    Attributes:
        limits: The bounds given.
        steps: How many opcodes and nodes may still be read.
        held: How many bytes may still be kept in memory.
        safety: The worst so far.
        names: What loading would import or do, in the order met.
        cut: Whether something found is not shown.
        problem: The first thing that could not be read, or is worth a word.
        unread: Whether nothing can be said because of it.
        own_package: Package whose classes the file brings along itself.
        embedded: Contents of files within that the loader would load too.
        complete: False once the file proved to end too early.
    """

    def __init__(self, limits: Limits = LIMITS, safety: Safety = "no-code") -> None:
        self.limits = limits
        self.steps = limits.steps
        self.held = limits.header_bytes
        self.safety: Safety = safety
        self.names: dict[str, None] = {}
        self.cut = False
        self.problem: str | None = None
        self.unread = False
        self.own_package: str | None = None
        self.embedded: list[Symbol] = []
        self.complete: bool | None = None

    def see(self, module: str, name: str) -> None:
        """Judge what a pickle imports."""
        own = self.own_package is not None and module.split(".", maxsplit=1)[0] == self.own_package
        self._add(f"{module}.{name}", "needs-classes" if own else judge(module, name))

    def suspect(self, what: str) -> None:
        """Take what can't be resolved, or is done in a way no honest file does it, as dangerous."""
        self._add(what, "dangerous")

    def worsen(self, safety: Safety) -> None:
        """Take `safety` as the verdict unless it is worse already."""
        if safety != "unread" and _WORSE[safety] > _WORSE[self.safety]:
            self.safety = safety

    def hold(self, length: int) -> None:
        """Account for bytes that are kept in memory.

        Raises:
            Excess: They are too many.
        """
        self.held -= length
        if self.held < 0:
            raise Excess("it holds more than can be read")

    def step(self, count: int = 1) -> None:
        """Account for opcodes or nodes that are looked at.

        Raises:
            Excess: They are too many.
        """
        self.steps -= count
        if self.steps < 0:
            raise Excess("it takes more steps than can be read")

    def fail(self, error: Exception) -> None:
        """Remember why something could not be read."""
        if not self.unread:
            self.problem = str(error) or type(error).__name__
        self.unread = True
        if isinstance(error, Ended):
            self.complete = False

    def remark(self, text: str) -> None:
        """Say something that does not change the verdict."""
        if self.problem is None:
            self.problem = text

    def facts(
        self,
        form: str,
        tensors: Sequence[Tensor] = (),
        metadata: dict[str, Value] | None = None,
    ) -> Facts:
        """Return the answer; whatever could not be read makes it `unread`, unless dangerous."""
        unread = self.unread and self.safety != "dangerous"
        return Facts(
            format=form,
            safety="unread" if unread else self.safety,
            complete=self.complete,
            globals=tuple(sorted(self.names)),
            tensors=tuple(tensors),
            metadata=metadata or {},
            problem=self.problem,
            cut=self.cut,
        )

    def _add(self, shown: str, safety: Safety) -> None:
        self.worsen(safety)
        if len(shown) > self.limits.text:
            shown, self.cut = shown[: self.limits.text], True
        shown = readable(shown)
        if shown in self.names:
            return
        # Names that decide the verdict are shown even behind a thousand harmless ones.
        if len(self.names) < _SHOWN or (safety == "dangerous" and len(self.names) < 2 * _SHOWN):
            self.names[shown] = None
        else:
            self.cut = True


def readable(text: str) -> str:
    """Return text that can be shown on one line and written as UTF-8."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
