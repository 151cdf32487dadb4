"""A registry with what production needs: a policy, a request with a review, deployments."""

from pathlib import Path

from regtui.registry import Registry

POLICY = {
    "name": "prod",
    "models": "team/*",
    "alias": "production",
    "approvals": 1,
    "metadata": ["description"],
    "break_glass": True,
}
FORMULA = '=HYPERLINK("http://x")\nnext line'


def govern(registry: Registry, folder: Path) -> Registry:
    """Fill a registry: version 1 went to production by a request, version 2 past its gates."""
    for number in (1, 2):
        file = folder / f"weights-{number}.bin"
        file.write_bytes(bytes([number]) * 64)
        registry.capture(
            file,
            model="team/ranker",
            description=f"number {number}",
            metrics={"ndcg": 0.5 + number / 10},
            params={"lr": 0.1 / number},
        )
    registry.put_policies([POLICY])
    registry.put_environment("prod", {"kind": "production"})
    asked = registry.request_promotion("team/ranker@1", "production", reason=FORMULA)
    registry.review(asked.request, "approve", "looks fine")
    registry.deploy("team/ranker@1", "prod", values={"reason": "first"})
    registry.request_promotion("team/ranker@2", "production", break_glass="an outage")
    registry.deploy("team/ranker@2", "prod")
    registry.roll_back("team/ranker", "prod", reason="worse")
    return registry
