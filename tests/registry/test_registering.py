"""Versions of files that lie elsewhere than where they belong, with what is known of their run."""

from pathlib import Path

import msgspec
import pytest

from regtui.artifacts.scan import Scan, scan
from regtui.capture.context import RunContext
from regtui.capture.findings import ParentHint
from regtui.core.errors import BadInput
from regtui.registry import Registry
from regtui.registry.capture import CaptureRequest, register
from regtui.registry.series import Series
from regtui.replica.database import connected
from tests.registry.conftest import make_run


@pytest.fixture
def pinned(tmp_path: Path) -> Scan:
    """Return files that were moved away, as if they still lay where their trainer wrote them."""
    found = scan(make_run(tmp_path / "pins" / "17"))
    return msgspec.structs.replace(found, root=tmp_path / "runs" / "7" / "checkpoint-100")


def test_the_place_is_where_the_files_belong(
    registry: Registry, pinned: Scan, tmp_path: Path
) -> None:
    request = CaptureRequest(
        model="team/ranker",
        metrics={"f1": (0.5, 100)},
        series={"loss": Series((1, 2), (0.5, 0.25))},
        run="7",
        run_context=RunContext(values={"cores": 2}, packages={"torch": "2.13"}),
        primary=("f1", "max"),
    )

    done = register(registry.context, pinned, request)

    assert done.created
    (place,) = registry.places("team/ranker@1")
    assert (place.folder, place.name, place.run) == (
        str(tmp_path / "runs" / "7"), "checkpoint-100", "7"
    )  # fmt: skip
    assert place.context["cores"] == 2
    model = registry.model("team/ranker")
    assert (model.primary_metric, model.direction) == ("f1", "max")
    assert [line.run for line in registry.plot(["team/ranker@1"], "loss").lines] == ["7"]
    assert registry.verify("team/ranker@1").damaged == []


def test_the_same_content_elsewhere_is_one_version_with_two_places(
    registry: Registry, pinned: Scan
) -> None:
    register(registry.context, pinned, CaptureRequest(model="m", run="7"))
    last = msgspec.structs.replace(pinned, root=pinned.root.with_name("last"))

    done = register(registry.context, last, CaptureRequest(model="m", run="7"))

    assert (done.created, done.changed) == (False, True)
    assert [place.name for place in registry.places("m@1")] == ["checkpoint-100", "last"]
    assert not register(registry.context, last, CaptureRequest(model="m", run="7")).changed


def test_what_the_trainer_started_from_becomes_a_parent(
    registry: Registry, pinned: Scan, tmp_path: Path
) -> None:
    registry.capture(make_run(tmp_path / "runs" / "7" / "checkpoint-50") / "serve.sh", model="m")
    hints = (ParentHint("checkpoint-50/serve.sh", "resumed"), ParentHint("hub/nothing", "base"))

    register(registry.context, pinned, CaptureRequest(model="m", hints=hints))

    (parent,) = registry.version("m@2").parents
    assert parent == registry.version("m@1").id


def test_a_model_that_is_there_keeps_its_metric(registry: Registry, pinned: Scan) -> None:
    registry.create_model("m", {"primary_metric": "loss", "direction": "min"})
    register(registry.context, pinned, CaptureRequest(model="m", primary=("f1", "max")))
    assert registry.model("m").primary_metric == "loss"


def test_what_is_refused_leaves_nothing(registry: Registry, pinned: Scan) -> None:
    context = RunContext(packages={"torch": "2.13"})
    for wrong in (
        CaptureRequest(model="m@", run_context=context),
        CaptureRequest(model="m", primary=("f1", "upwards"), run_context=context),
    ):
        with pytest.raises(BadInput):
            register(registry.context, pinned, wrong)
    with connected(registry.home / "registry.duckdb", read_only=True) as connection:
        assert connection.execute("select count(*) from base.text").fetchone() == (0,)
    assert registry.models() == []
