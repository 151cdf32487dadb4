"""Gates as people read them: a sign, a name and a reason for each."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.registry.answers_production import GateAnswer, Moved

PASSES, FAILS, UNKNOWN = "✓", "✗", "?"
"""The signs of a gate; the last where only the server can tell."""


def sign(passed: bool | None) -> str:
    """Return the sign of what a gate says."""
    return UNKNOWN if passed is None else PASSES if passed else FAILS


def gate_lines(gates: "Iterable[GateAnswer]", indent: str = "  ") -> list[str]:
    """Return one line for each gate."""
    listed = list(gates)
    width = max((len(one.gate) for one in listed), default=0)
    return [
        f"{indent}{sign(one.passed)} {one.gate:<{width}}  {one.reason}"
        + (f"  [{one.policy}]" if one.policy else "")
        for one in listed
    ]


def outcome_line(done: str, wanted: str, outcome: "Moved") -> str:
    """Return what became of a move: it is done, or requested of the server.

    Args:
        done: What to say where it is done.
        wanted: The same where the server has still to decide.
        outcome: What became of it.
    """
    if not outcome.requested:
        return done
    lines = [f"requested: {wanted}; the server decides at the next `regtui sync`"]
    return "\n".join([*lines, *gate_lines(outcome.gates)])
