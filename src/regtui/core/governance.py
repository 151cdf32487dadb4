"""Governance: the gates that an operation must pass.

A gate looks at an operation and the view and answers pass, fail or *unknown here* with a reason.
`GATES` holds them by operation kind; it is empty until policies exist, and `judge` already asks it,
so a policy adds gates and changes nothing else.
"""

from collections.abc import Callable

from msgspec import Struct

from regtui.core.access import Actor
from regtui.core.operations import Operation
from regtui.core.view import View


class GateResult(Struct, frozen=True):
    """A gate's answer.

    Attributes:
        gate: Its name.
        passed: None where only another authority can tell.
        reason: One sentence with the evidence.
    """

    gate: str
    passed: bool | None
    reason: str


Gate = Callable[[Operation, View, Actor, int], GateResult]

GATES: dict[str, tuple[Gate, ...]] = {}


def gate_results(operation: Operation, view: View, actor: Actor, now: int) -> list[GateResult]:
    """Return what each gate that applies says, in order."""
    return [gate(operation, view, actor, now) for gate in GATES.get(operation.kind, ())]
