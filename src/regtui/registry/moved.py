"""What became of a change to production: done, or requested of the server that decides."""

from typing import TYPE_CHECKING

from regtui.registry.answers_production import GateAnswer, Moved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.core.governance import GateResult
    from regtui.replica.authority import SoloAuthority


def moved(authority: "SoloAuthority") -> Moved:
    """Return what became of what a unit of work moved."""
    gates = [gate for _, results in authority.requested for gate in gate_answers(results)]
    waits = bool(authority.requested)
    return Moved(done=not waits, requested=waits, gates=gates)


def gate_answers(results: "Iterable[GateResult]") -> list[GateAnswer]:
    """Return what gates say as scripts read it."""
    return [
        GateAnswer(
            gate=one.gate,
            passed=one.passed,
            reason=one.reason,
            policy=one.policy,
            evidence=one.evidence,
        )
        for one in results
    ]
