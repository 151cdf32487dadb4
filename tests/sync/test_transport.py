"""What answers over HTTP mean: a real socket, and a server that says what each test wants."""

import email.utils
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from regtui.core.errors import BadInput, Denied, NotFound, RegtuiError, Unreachable
from regtui.sync.client import NotTaken
from regtui.sync.transport import AskLater, HttpTransport, SignedOut, StillWaiting
from regtui.wire.messages import PROTOCOL, Cursor, Push

Reply = tuple[int, dict[str, str], str]
Serve = Callable[..., tuple[HttpTransport, list[str]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer with replies in their order, the last for ever; return a transport and the paths."""
    servers = []

    def begin(*replies: Reply) -> tuple[HttpTransport, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = replies[min(len(asked), len(replies) - 1)]
                asked.append(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return HttpTransport(f"http://127.0.0.1:{server.server_port}", "secret"), asked

    yield begin
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(status: int, code: str = "x", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, f'{{"error": {{"code": "{code}", "message": "m", "hint": "h"}}}}'


GOOD: Reply = (200, {}, '{"good": true}')


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_to_be_asked_soon_is_asked_again(serve: Serve, status: int) -> None:
    transport, asked = serve(refused(status, Retry_After="0"), GOOD)
    with transport:
        assert transport.ask("GET", "/x") == {"good": True}
    assert asked == ["/x", "/x"]


def test_a_moment_that_has_passed_is_soon(serve: Serve) -> None:
    transport, asked = serve(refused(503, Retry_After=email.utils.formatdate(0)), GOOD)
    with transport:
        assert transport.ask("GET", "/x") == {"good": True}
    assert len(asked) == 2


def test_who_shall_wait_for_long_is_told_how_long(serve: Serve) -> None:
    transport, asked = serve(refused(429, Retry_After="3600"))
    with transport, pytest.raises(AskLater, match="try again in 3600 s") as caught:
        transport.ask("GET", "/x")
    assert isinstance(caught.value, Unreachable)
    assert (caught.value.after, len(asked)) == (3600, 1)


def test_a_moment_in_an_hour_is_long(serve: Serve) -> None:
    moment = email.utils.formatdate(time.time() + 3600)
    transport, asked = serve(refused(503, Retry_After=moment))
    with transport, pytest.raises(AskLater) as caught:
        transport.ask("GET", "/x")
    assert caught.value.after == pytest.approx(3600, abs=60)
    assert len(asked) == 1


@pytest.mark.parametrize("text", ["", "soon", "-1", "²"])
def test_a_wait_that_makes_no_sense_is_none(serve: Serve, text: str) -> None:
    transport, asked = serve(refused(503, Retry_After=text))
    with transport, pytest.raises(AskLater, match="in a moment") as caught:
        transport.ask("GET", "/x")
    assert (caught.value.after, len(asked)) == (None, 1)


def test_a_server_that_never_has_time_is_left_alone(serve: Serve) -> None:
    transport, asked = serve(refused(429, Retry_After="0"))
    with transport, pytest.raises(AskLater):
        transport.ask("GET", "/x")
    assert 1 < len(asked) < 10


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad_input", BadInput),
        (400, "authorization_pending", StillWaiting),
        (400, "expired", Denied),
        (401, "unauthenticated", SignedOut),
        (403, "denied", Denied),
        (404, "not_found", NotFound),
        (422, "malformed", BadInput),
        (500, "internal", RegtuiError),
        (418, "teapot", RegtuiError),
    ],
)
def test_a_refusal_has_its_kind_and_is_not_sent_again(
    serve: Serve, status: int, code: str, kind: type[RegtuiError]
) -> None:
    transport, asked = serve(refused(status, code, Retry_After="0"))
    with transport, pytest.raises(kind) as caught:
        transport.ask("GET", "/x")
    assert type(caught.value) is kind or isinstance(caught.value, Denied)
    assert len(asked) == 1


@pytest.mark.parametrize("reply", [(413, {}, "<html>"), refused(400, "malformed")])
def test_a_push_is_not_taken_where_it_may_be_for_what_is_in_it(serve: Serve, reply: Reply) -> None:
    transport, asked = serve(reply)
    push = Push(
        protocol=PROTOCOL, schema=1, replica="", acked_n=0, anchor=None, cursor=Cursor(),
        n=0, tip="", signature="",
    )  # fmt: skip
    with transport, pytest.raises(NotTaken):
        transport.sync("r", push)
    assert len(asked) == 1


def test_who_is_no_regtui_server_is_named_so(serve: Serve) -> None:
    transport, _ = serve((200, {}, "<html>"))
    with transport, pytest.raises(RegtuiError, match="not what a regtui server does"):
        transport.ask("GET", "/x")


@pytest.mark.parametrize("reply", [(501, {}, "<html>"), (200, {}, "<html>"), (404, {}, "{}")])
def test_an_answer_of_something_else_is_told_with_its_address(serve: Serve, reply: Reply) -> None:
    transport, _ = serve(reply)
    with transport, pytest.raises(RegtuiError) as caught:
        transport.ask("GET", "/x")
    assert f"{transport.url} answers ({reply[0]}) is not what a regtui server" in str(caught.value)
    assert isinstance(caught.value, Unreachable)  # whoever watches waits for the server to be back
    assert "regtui remote add URL" in caught.value.hint


def test_a_server_that_says_nothing_is_left_soon_and_told_as_such() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            HttpTransport(url, None, httpx.Timeout(0.2)) as transport,
            pytest.raises(Unreachable, match=r"it is there, and said nothing for 0\.2 s"),
        ):
            transport.ask("POST", "/v1/login", {"token": "x"})
    with HttpTransport(url, None) as transport:
        assert transport.client.timeout == httpx.Timeout(10)


@pytest.mark.parametrize("token", ["regtui_x\ny", "regtui_\u00fc", "regtui_x\r"])
def test_a_token_that_can_not_be_one_is_refused_without_being_told(token: str) -> None:
    with pytest.raises(Denied) as refused:
        HttpTransport("http://127.0.0.1:1", token)
    assert "regtui_" not in str(refused.value)
