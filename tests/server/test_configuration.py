"""A flag goes before the environment, that before the file, that before the default."""

from pathlib import Path

import pytest

from regtui.core.errors import BadInput
from sync_server.configuration import Configuration, configured


def test_precedence(tmp_path: Path) -> None:
    (tmp_path / "regtui-server.toml").write_text('port = 1\nhost = "a"\nrate = 2\nburst = 9\n')
    environment = {"REGTUI_SERVER_PORT": "2", "REGTUI_SERVER_HOST": "b", "OTHER": "x"}
    found = configured(tmp_path, None, {"port": 3, "host": None}, environment)
    assert (found.port, found.host, found.rate, found.burst) == (3, "b", 2.0, 9)
    assert found.connections == Configuration().connections


def test_the_environment_says_yes_as_words(tmp_path: Path) -> None:
    found = configured(tmp_path, None, {}, {"REGTUI_SERVER_TRUST_CLOCK": "true"})
    assert found.trust_clock is True


@pytest.mark.parametrize(
    "text",
    [
        "port = 65536",
        "rate = -1",
        "rate = nan",
        "burst = 0",
        "body_limit = 0",
        "connections = -1",
        "header_limit = 0",
        "stop_seconds = -1",
        "artifact_links = 0",
        'host = ""',
    ],
)
def test_numbers_with_which_nothing_works_are_refused_by_their_names(
    tmp_path: Path, text: str
) -> None:
    name, _, value = text.partition(" = ")
    (tmp_path / "regtui-server.toml").write_text(text)
    with pytest.raises(BadInput, match=name) as caught:
        configured(tmp_path, None, {}, {})
    assert caught.value.hint
    with pytest.raises(BadInput, match=name):
        configured(tmp_path, None, {name: value.strip('"')}, {})


@pytest.mark.parametrize("text", ["port = ", 'port = "x"', "prot = 1", 'metrics = "some"'])
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.toml"
    file.write_text(text)
    with pytest.raises(BadInput):
        configured(tmp_path, file, {}, {})
