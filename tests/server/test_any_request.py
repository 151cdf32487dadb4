"""Whatever is asked, the server does not fail on it (bounded; `REGTUI_EXAMPLES=500` for more)."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from sync_server.artifacts import FolderStore
from sync_server.http_artifacts import Limits
from sync_server.rate_limits import RateLimiter
from tests.pieces.site import Site, serving

EXAMPLES = int(os.environ.get("REGTUI_EXAMPLES", "12"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("any")
    made = Site(folder, FolderStore(folder / "artifacts"), Limits())
    state = made.app.state
    state.stopping = True  # whoever waits for news is answered at once
    state.limiter = state.guesses = state.devices = state.codes = RateLimiter(1e6, 1_000_000)
    made.model("nlp/bert")
    with serving(made):
        yield made


def test_nothing_makes_the_server_fail(site: Site) -> None:
    described = schemathesis.openapi.from_url(f"http://127.0.0.1:{site.port}/openapi.json")
    asked = 0
    with requests.Session() as session:
        for result in described.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()

            @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy())
            def ask(case: Any) -> None:
                if "registry" in case.path_parameters:
                    case.path_parameters["registry"] = site.registry  # beyond it is nothing
                token = site.person("zoe", **{"*": "admin"})
                headers = {"Authorization": f"Bearer {token}"}
                answer = case.call(headers=headers, session=session)
                assert answer.status_code < 500, answer.text
                if answer.status_code >= 400 and answer.content:
                    assert answer.json()["error"].keys() == {"code", "message", "hint"}

            ask()
            asked += 1
    assert asked > 30
