"""What one reading has found and used up.

One `Reading` goes through all pickles of a file, also those inside of others, so that the verdict
is the worst of all and the bounds are those of the file, not of each part.

Invariants: a name is judged when it is met, before it is shown or cut, so a limit never hides what
is dangerous. The verdict only ever gets worse.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from regtui.formats.allowed import calls_of, judge
from regtui.formats.allowed_groups import Calls
from regtui.formats.streams import Ended, Excess
from regtui.formats.values import LIMITS, Facts, Limits, Safety, Tensor, Value

if TYPE_CHECKING:
    from regtui.formats.symbolic import Global, Symbol

_SHOWN = 1_000  # names; honest files have fewer than a hundred
_OBJECTS = 2  # memory of what a pickle makes, in header lengths
_WORSE = {"no-code": 0, "tensors-only": 1, "needs-classes": 2, "dangerous": 3}


class Reading:
    """The verdict, names and budgets of a file that is being read.

    Attributes:
        limits: The bounds given.
        steps: How many opcodes and nodes may still be read.
        held: How many bytes of the file may still be kept in memory.
        kept: How many bytes what stands for its objects may still take.
        slack: How many bytes streams may still unpack beyond what their size explains.
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
        self.kept = _OBJECTS * limits.header_bytes
        self.slack = limits.header_bytes
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
        self._add(
            f"{module}.{name}", "needs-classes" if self._is_own(module) else judge(module, name)
        )

    def calls(self, name: "Global") -> Calls | None:
        """Return how honest files call a name, None if it is not allowed at all."""
        return "any" if self._is_own(name.module) else calls_of(name.module, name.name)

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

    def keep(self, size: int) -> None:
        """Account for memory that what stands for an object takes, or gives back.

        Raises:
            Excess: It is too much.
        """
        self.kept -= size
        if self.kept < 0:
            raise Excess("it holds more than can be read")

    def unpack(self, length: int) -> None:
        """Account for bytes that a stream unpacks beyond what its size explains.

        Raises:
            Excess: They are too many.
        """
        self.slack -= length
        if self.slack < 0:
            raise Excess("it unpacks to far more than its size")

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

    def _is_own(self, module: str) -> bool:
        return self.own_package is not None and module.partition(".")[0] == self.own_package

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
