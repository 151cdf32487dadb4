"""Two people and a policy on a server of its own process: files that run code stay out."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.server.people import join
from tests.server.process import ServerProcess


class Runs:
    """An object whose pickle runs a command when it is loaded."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("true",)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


def test_a_pickle_that_runs_code_is_not_promoted_and_a_text_is(
    server_process: ServerProcess, tmp_path: Path
) -> None:
    registry = join(server_process, tmp_path / "home", "eve", "maintainer").registry
    for name, content in (("bad.pkl", pickle.dumps(Runs())), ("good.json", b'{"w": 1}')):
        (tmp_path / name).write_bytes(content)
        registry.capture(tmp_path / name, model="nlp/bert")
    registry.put_policies(
        [{"name": "safe", "models": "nlp/*", "alias": "production", "safe_files": True}]
    )
    registry.sync()
    refused = registry.request_promotion("nlp/bert@1", "production")
    registry.request_promotion("nlp/bert@2", "production")
    registry.sync()
    assert registry.version("nlp/bert@production").number == 2
    assert registry.promotion(refused.request).state == "open"
    registry.apply_promotion(refused.request)
    registry.sync()
    assert registry.version("nlp/bert@production").number == 2
    told = [str(one.reason) for one in registry.outbox()]
    assert any("bad.pkl: loading it runs code" in one for one in told), told
