"""Recognisers are data, and what is wrong in them is told where it stands."""

from pathlib import Path

import pytest

from regtui.capture.recogniser import built_in, load, matches
from regtui.core.errors import BadInput

OWN = """
[[recogniser]]
name = "ours"
unit = "file"
match = ["*.ours", "out/*.bin"]
step = 'v(?P<step>[0-9]+)'
model = "team/{stem}"
"""


def test_every_recogniser_has_a_name_of_its_own_and_a_title() -> None:
    names = [one.name for one in built_in()]

    assert len(set(names)) == len(names) > 15
    assert all(one.title for one in built_in())


def test_ones_own_recognisers_are_asked_first(tmp_path: Path) -> None:
    (tmp_path / "capture.toml").write_text(OWN)
    found = load(tmp_path / "capture.toml")

    assert found[0].name == "ours"
    assert found[0].matches("7/out/x.bin")
    assert not found[0].matches("7/x.bin")
    assert found[0].step_of("x-v12.ours") == 12
    assert len(found) == len(built_in()) + 1
    assert load(tmp_path / "none.toml") == built_in()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('unit = "file"', 'unit = "disk"'), "unit"),
        (('name = "ours"', ""), "name"),
        (("match", "mach"), "mach"),
        (('"team/{stem}"', '"team/{user}"'), "{user}"),
        (('"team/{stem}"', '"team/{stem"'), "brace"),
        (("(?P<step>[0-9]+)", "[0-9"), "regular expression"),
        (("model =", 'readers = ["mind"]\nmodel ='), "mind"),
        (("[[recogniser]]", "[[recognizer]]"), "recognizer"),
        (("unit =", "unit = ="), "can't be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    file = tmp_path / "capture.toml"
    file.write_text(OWN.replace(*change))

    with pytest.raises(BadInput, match=r"capture\.toml") as error:
        load(file)
    assert told in str(error.value)


def test_patterns_with_a_slash_mean_the_end_of_a_path() -> None:
    assert matches("weights/best.pt", ("weights/best.pt",))
    assert matches("a/b/weights/best.pt", ("weights/*.pt",))
    assert not matches("a/overweights/best.pt", ("weights/*.pt",))
