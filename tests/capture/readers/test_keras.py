"""Keras, as it really wrote: files by epoch, the best one, and a CSV log."""

from pathlib import Path

from regtui.capture.readers import read_all
from tests.capture.readers.recorded_runs import copy_of, files_in, found_in

ALL = ("sidecar", "keras", "tensorboard", "nearby")


def test_a_file_by_epoch_has_the_log_up_to_its_epoch() -> None:
    found = found_in("keras", "model-02.keras", *ALL, step=2)

    assert found.step == 2
    assert found.series["val_loss"].steps == (1, 2)
    assert found.metrics["val_loss"] == (0.7459826469421387, 2)
    assert found.params["optimizer.name"] == "adam"
    assert found.params["loss"] == "mse"
    assert found.problems == ()


def test_the_best_file_could_be_of_any_epoch_so_it_has_curves_but_no_figures() -> None:
    found = found_in("keras", "best.keras", *ALL)

    assert found.series["val_loss"].steps == (1, 2, 3)
    assert found.metrics == {}


def test_a_final_file_has_the_last_figures() -> None:
    found = found_in("keras", "final.h5", *ALL)

    assert found.metrics["val_mae"] == (0.6551810503005981, 3)
    assert found.params["name"] == "net"


def test_a_log_that_is_no_table_is_no_reason_to_say_nothing(tmp_path: Path) -> None:
    run = copy_of("keras", tmp_path)
    (run / "training.csv").write_bytes(bytes(range(256)) * 9)

    found = read_all(ALL, files_in(run, "final.h5"))

    assert found.series == {}
    assert found.params["name"] == "net"
