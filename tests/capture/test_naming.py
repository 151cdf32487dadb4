"""A model is named by a person, by a sidecar, or by the folders of its run."""

from pathlib import Path

import pytest

from regtui.capture.naming import check_template, model_name, run_name
from regtui.capture.recognise import Unit, recognise
from regtui.capture.recogniser import built_in
from regtui.core.errors import BadInput
from tests.capture.listings import listing

ROOT = Path("/data/runs")


def unit(*paths: str) -> Unit:
    [found] = recognise(listing(*paths), built_in())
    return found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("bert/checkpoints/step=3.ckpt", "runs/bert"),
        ("step=3.ckpt", "data/runs"),
        ("a/b/c/x.pt", "b/c"),
        ("iris/forest.joblib", "iris/forest"),
        ("iris/model_12.ubj", "iris/model"),
        ("net-00001-of-00001.gguf", "runs/net"),
        ("deep/x.weights.h5", "runs/deep"),
    ],
)
def test_by_default_a_model_is_called_after_its_folders(path: str, name: str) -> None:
    assert model_name(unit(path), ROOT, None, None) == name


def test_what_a_person_says_counts_most_and_a_sidecar_more_than_folders() -> None:
    one = unit("bert/x.pt")

    assert model_name(one, ROOT, "team/{run}-{stem}", "side/car") == "team/bert-x"
    assert model_name(one, ROOT, None, "side/car") == "side/car"
    assert model_name(one, ROOT, None, "no name @") == "runs/bert"
    assert model_name(one, ROOT, "{root}/{recogniser}/{name}", None) == "runs/torch/x.pt"


def test_names_of_folders_become_slugs() -> None:
    assert model_name(unit("My Run!/x.pt"), ROOT, None, None).startswith("runs/my-run-")


def test_a_run_is_called_as_a_file_says_or_as_its_folder() -> None:
    assert run_name(unit("bert/x.pt"), ROOT, None) == "bert"
    assert run_name(unit("x.pt"), ROOT, None) == "runs"
    assert run_name(unit("bert/x.pt"), ROOT, "7") == "7"


@pytest.mark.parametrize("template", ["{user}", "{run", "a b", "", "/x", "{run}@1"])
def test_what_can_be_no_name_is_refused(template: str) -> None:
    with pytest.raises(BadInput):
        check_template(template)


def test_what_can_be_a_name_is_not() -> None:
    for template in ("team/ranker", "{parent}/{run}", "x-{stem}.{recogniser}"):
        check_template(template)
