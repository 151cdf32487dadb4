"""Whoever waits for news hears of them at once, and holds up nobody."""

import threading
import time

import httpx
import pytest

from tests.server.process import ServerProcess


def wait(server: ServerProcess, after: int, seconds: float) -> dict[str, object]:
    with server.client() as client:
        query = {"after": after, "seconds": seconds}
        answer: dict[str, object] = client.get(server.path("wait"), params=query).json()
    return answer


def test_news_that_are_there_are_told_at_once_and_none_when_the_time_is_over(
    server_process: ServerProcess,
) -> None:
    found = wait(server_process, 0, 20)
    assert found["news"]
    head = int(str(found["seq"]))
    assert wait(server_process, head, 0.5) == {"news": False, "seq": head}


def test_a_change_answers_all_who_wait(server_process: ServerProcess) -> None:
    head = int(str(wait(server_process, 0, 0)["seq"]))
    answers: list[dict[str, object]] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(wait(server_process, head, 55)))
        for _ in range(40)
    ]
    for one in waiting:
        one.start()
    with server_process.client() as client:
        client.post(server_process.path("users"), json={"name": "ben"}).raise_for_status()
    for one in waiting:
        one.join(40)
    assert [answer["news"] for answer in answers] == [True] * 40


def test_a_server_that_stops_lets_nobody_wait(server_process: ServerProcess) -> None:
    head = int(str(wait(server_process, 0, 0)["seq"]))
    answers: list[dict[str, object]] = []
    one = threading.Thread(target=lambda: answers.append(wait(server_process, head, 55)))
    one.start()
    time.sleep(1)  # it waits by now
    assert server_process.stop() == 0
    one.join(20)
    assert answers == [{"news": False, "seq": head}]


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e9", "-1"])
def test_nobody_waits_for_ever(server_process: ServerProcess, seconds: str) -> None:
    with server_process.client() as client:
        answer = client.get(server_process.path("wait"), params={"seconds": seconds})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
