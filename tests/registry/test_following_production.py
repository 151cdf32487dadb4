"""Following tells what is done to production, as documented, for programs."""

import contextlib
from pathlib import Path

import msgspec

from regtui.registry import Registry
from tests.cli.schemas import check
from tests.registry.governed import govern


class Over(Exception):
    """Nobody wants to follow any longer."""


def test_following_tells_every_kind_as_documented(registry: Registry, tmp_path: Path) -> None:
    waits = 0

    def wait(_: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            govern(registry, tmp_path)
        elif waits == 4:
            raise Over

    told = []
    with contextlib.suppress(Over):
        for one in registry.follow(wait=wait):
            told.append(msgspec.to_builtins(one))  # noqa: PERF401 -- what came before the end stays
    for one in told:
        check(one, "operation")
    assert [one["kind"] for one in told] == [
        "model.create",
        "version.capture",
        "version.capture",
        "policy.put",
        "environment.put",
        "promotion.request",
        "promotion.review",
        "deployment.record",
        "promotion.request",
        "promotion.apply",
        "deployment.record",
        "deployment.record",
    ]
    assert {one["model"] for one in told} == {"team/ranker", None}
