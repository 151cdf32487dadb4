import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, SIGKILL
from typing import Any

import pytest
from blake3 import blake3

from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.artifacts.verify import verify
from regtui.core.errors import BadInput, Damaged, Denied, NotFound, RegtuiError, Unreachable
from regtui.sync.retrying import Retry
from regtui.sync.transfer import Transferred, download, upload
from tests.pieces.site import Api, Site
from tests.proxy import Proxy, proxy

QUICK = Retry(attempts=6, first=0.01, longest=0.05)
PATIENT = Retry(attempts=40, first=0.01, longest=0.05)


class Machine:
    """Somebody's machine: its store, and its way to the server."""

    def __init__(self, folder: Path, api: Api, stream: str) -> None:
        self.folder = folder
        self.store = ObjectStore(folder / "home")
        self.api = api
        self.stream = stream

    def capture(self, *contents: bytes) -> list[str]:
        source = self.folder / os.urandom(4).hex()
        source.mkdir(parents=True)
        for number, data in enumerate(contents):
            (source / str(number)).write_bytes(data)
        entries = self.store.ingest(scan(source))
        return [entry.digest for entry in sorted(entries, key=lambda entry: int(entry.path))]

    def up(self, digests: list[str], **more: object) -> Transferred:
        settings: Any = {"retry": QUICK, **more}
        return upload(self.api, self.store, self.stream, digests, **settings)

    def down(self, digests: list[str], **more: object) -> Transferred:
        settings: Any = {"retry": QUICK, **more}
        return download(self.api, self.store, self.stream, digests, **settings)

    def is_sound(self, digests: list[str]) -> bool:
        """Tell whether all files are there with their bytes, and nothing is half-done."""
        sizes = [(one, self.store.size_of(one) or 0) for one in digests]
        unfinished = [path for path in (self.store.root / "tmp").rglob("*") if path.name != "lock"]
        return not list(verify(self.store, sizes)) and not unfinished


@pytest.fixture
def stream(site: Site) -> str:
    return site.model("nlp/iris")


@pytest.fixture
def net(site: Site) -> Iterator[Proxy]:
    with proxy(site.port) as made:
        yield made


@pytest.fixture
def token(site: Site) -> str:
    return site.person("ben", **{"nlp/*": "contributor"})


@pytest.fixture
def ann(site: Site, net: Proxy, token: str, stream: str, tmp_path: Path) -> Iterator[Machine]:
    """A machine that reaches the server over a bad network."""
    api = site.api(token, net.port)
    with api.client:
        yield Machine(tmp_path / "ann", api, stream)


@pytest.fixture
def ben(site: Site, net: Proxy, token: str, stream: str, tmp_path: Path) -> Iterator[Machine]:
    """Another one."""
    api = site.api(token, net.port)
    with api.client:
        yield Machine(tmp_path / "ben", api, stream)


def test_files_go_up_and_come_down(ann: Machine, ben: Machine) -> None:
    contents = [b"", b"x", os.urandom(100_000), os.urandom((9 << 20) + 5)]
    digests = ann.capture(*contents)
    size = sum(map(len, contents))
    seen = [0, 0]

    def progress(count: int, files: int) -> None:
        seen[0], seen[1] = seen[0] + count, seen[1] + files

    sent = upload(ann.api, ann.store, ann.stream, digests, progress=progress)
    assert (sent.files, sent.size, sent.absent) == (4, size, [])
    assert seen == [size, 4]
    got = download(ben.api, ben.store, ben.stream, digests, progress=progress)
    assert (got.files, got.size, got.absent) == (4, size, [])
    assert seen == [2 * size, 8]
    assert ben.is_sound(digests)
    for digest, data in zip(digests, contents, strict=True):
        path = ben.store.path_of(digest)
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == 0o444


def test_what_is_there_already_is_not_sent_again(ann: Machine, net: Proxy) -> None:
    digests = ann.capture(*(os.urandom(1000) for _ in range(50)))
    ann.up(digests[:40])
    before = net.connections
    seen: list[tuple[int, int]] = []
    sent = upload(ann.api, ann.store, ann.stream, digests, progress=lambda *one: seen.append(one))
    assert sent.files == 10
    assert [sum(one) for one in zip(*seen, strict=True)] == [50_000, 50]
    assert download(ann.api, ann.store, ann.stream, digests).files == 0
    assert net.connections - before < 10


def test_what_is_not_to_be_had_is_told(ann: Machine, ben: Machine) -> None:
    digests = ann.capture(b"one", b"two")
    sent = upload(ann.api, ann.store, ann.stream, [*digests, "0" * 64])
    assert (sent.files, sent.absent) == (2, ["0" * 64])
    got = download(ben.api, ben.store, ben.stream, ["0" * 64, *digests])
    assert (got.files, got.absent) == (2, ["0" * 64])


@pytest.mark.parametrize("seed", range(4))
def test_a_network_that_cuts_anywhere_loses_nothing(
    ann: Machine, ben: Machine, net: Proxy, seed: int
) -> None:
    chance = random.Random(seed)
    digests = ann.capture(*(os.urandom(chance.randrange(3 << 20)) for _ in range(6)))
    net.faults.cuts = [(chance.randrange(1 << 20), None) for _ in range(12)]
    net.faults.cuts += [(None, chance.randrange(200)) for _ in range(6)]
    ann.up(digests, retry=PATIENT)
    net.faults.cuts = [(None, chance.randrange(1 << 20)) for _ in range(18)]
    ben.down(digests, retry=PATIENT)
    assert ben.is_sound(digests)
    assert net.cut > 20


def test_a_cut_upload_goes_on_where_it_was(ann: Machine, net: Proxy, site: Site) -> None:
    [digest] = ann.capture(os.urandom(20 << 20))
    sent = 0
    net.faults.cuts = [(6 << 20, None)] * 4

    def progress(count: int, files: int) -> None:
        nonlocal sent
        sent += count

    assert ann.up([digest], progress=progress).size == 20 << 20
    assert net.cut == 3
    assert sent == 20 << 20


def test_a_cut_download_goes_on_where_it_was(ann: Machine, ben: Machine, net: Proxy) -> None:
    digests = ann.capture(os.urandom(20 << 20))
    ann.up(digests)
    net.faults.cuts = [(None, 6 << 20)] * 4
    ben.down(digests)
    assert net.cut == 3
    assert ben.is_sound(digests)


def test_a_transfer_that_was_given_up_is_gone_on_with_by_the_next_one(
    ann: Machine, ben: Machine, net: Proxy
) -> None:
    digests = ann.capture(os.urandom(12 << 20), b"small")
    net.faults.cuts = [(5 << 20, None)] + [(0, 0)] * 40
    with pytest.raises(Unreachable):
        ann.up(digests)
    net.faults.cuts = [(11 << 20, None)]  # enough for the rest, too little for all of it
    ann.up(digests)
    assert net.cut >= 1
    net.faults.cuts = [(None, 0)] * 40
    with pytest.raises(Unreachable):
        ben.down(digests)
    assert ben.is_sound([])
    net.faults.cuts = []
    ben.down(digests)
    assert ben.is_sound(digests)


def test_a_network_that_halves_delays_and_duplicates(
    ann: Machine, ben: Machine, net: Proxy
) -> None:
    digests = ann.capture(os.urandom(2 << 20), *(os.urandom(2000) for _ in range(20)))
    net.faults.halve, net.faults.delay, net.faults.duplicate = True, 0.001, True
    ann.up(digests)
    ben.down(digests)
    assert ben.is_sound(digests)


def test_two_machines_that_send_and_fetch_the_same_do_not_disturb_each_other(
    ann: Machine, ben: Machine
) -> None:
    contents = [os.urandom(1 << 20) for _ in range(6)]
    digests = ann.capture(*contents)
    assert ben.capture(*contents) == digests
    errors: list[BaseException] = []

    def run(machine: Machine) -> None:
        try:
            machine.up(digests)
        except BaseException as error:  # noqa: BLE001 -- told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in (ann, ben, ann, ben)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for digest in digests:
        ben.store.set_aside(digest)
    ben.down(digests)
    assert ben.is_sound(digests)


def test_a_damaged_file_is_not_sent(ann: Machine) -> None:
    [digest] = ann.capture(b"precious")
    path = ann.store.path_of(digest)
    path.chmod(0o644)
    path.write_bytes(b"PRECIOUS")
    with pytest.raises(Damaged, match="damaged"):
        ann.up([digest])


def test_wrong_bytes_of_a_server_never_get_a_name(
    ann: Machine, ben: Machine, site: Site, tmp_path: Path
) -> None:
    digests = ann.capture(os.urandom(50_000), b"good")
    ann.up(digests)
    [stored] = (tmp_path / "data" / "artifacts").rglob(f"{digests[0]}*")
    stored.write_bytes(bytes(50_000))
    with pytest.raises(Damaged, match="other bytes"):
        ben.down(digests, workers=1)
    assert ben.is_sound([])
    assert not ben.store.has(digests[0])
    ben.down(digests[1:])
    assert ben.is_sound(digests[1:])


def test_a_file_that_the_server_has_lost_is_told_at_once(
    ann: Machine, ben: Machine, tmp_path: Path
) -> None:
    digests = ann.capture(b"lost")
    ann.up(digests)
    [stored] = (tmp_path / "data" / "artifacts").rglob(f"{digests[0]}*")
    stored.unlink()
    with pytest.raises(RegtuiError, match="lost"):
        ben.down(digests)


def test_who_may_not_is_told_so(site: Site, ann: Machine, stream: str, tmp_path: Path) -> None:
    digests = ann.capture(b"x")
    for name, roles, error in (
        ("vic", {"nlp/*": "viewer"}, Denied),
        ("eve", {"cv/*": "contributor"}, NotFound),
    ):
        api = site.api(site.person(name, **roles))
        with api.client, pytest.raises(error):
            upload(api, ann.store, stream, digests)
    api = site.api("regtui_made_up")
    with api.client, pytest.raises(Denied, match="token"):
        download(api, ann.store, stream, ["0" * 64])
    with pytest.raises(BadInput):
        download(ann.api, ann.store, stream, ["../../etc/passwd"])


def test_a_full_disk_leaves_nothing_half_written(
    site: Site, ann: Machine, token: str, stream: str, tmp_path: Path
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if done.returncode:
        pytest.skip("needs the right to mount")
    try:
        digests = ann.capture(os.urandom(200_000), os.urandom(4 << 20))
        ann.up(digests)
        api = site.api(token)
        with api.client:
            carl = Machine(folder, api, stream)
            with pytest.raises(RegtuiError, match="disk is full"):
                carl.down(digests, workers=1)
        assert carl.is_sound(digests[:1])
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


PROGRAM = """
import sys, httpx
from pathlib import Path
from signal import SIGINT, SIGKILL
from typing import Any
from types import SimpleNamespace
from regtui.artifacts.store import ObjectStore
from regtui.sync.transfer import download, upload
way, port, token, registry, home, stream, *digests = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}"}
client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers)
api = SimpleNamespace(client=client, registry=registry)
way = upload if way == "up" else download
way(api, ObjectStore(Path(home)), stream, digests, progress=lambda *_: print("+", flush=True))
print("done", flush=True)
"""


def start(
    machine: Machine, way: str, port: int, token: str, digests: list[str]
) -> "subprocess.Popen[str]":
    arguments = [way, str(port), token, machine.api.registry, str(machine.store.root)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments, machine.stream, *digests],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [(way, by) for way in ("up", "down") for by in (SIGINT, SIGKILL)])
def test_whoever_is_stopped_leaves_at_once_and_can_go_on(
    ann: Machine, ben: Machine, net: Proxy, token: str, how: tuple[str, int]
) -> None:
    way, by = how
    digests = ann.capture(*(os.urandom(1 << 20) for _ in range(12)))
    machine = ann if way == "up" else ben
    if way == "down":
        ann.up(digests)
    net.faults.delay = 0.02
    with start(machine, way, net.port, token, digests) as process:
        assert process.stdout is not None
        process.stdout.readline()
        net.faults.delay = 30.0  # a network that says nothing any more
        before = time.monotonic()
        process.send_signal(by)
        process.communicate(timeout=20)
        assert time.monotonic() - before < 5
        assert process.returncode != 0
    net.faults.delay = 0.0
    ann.up(digests)
    ben.down(digests)
    assert ben.is_sound(digests)


@pytest.mark.slow
def test_a_bad_day(ann: Machine, ben: Machine, net: Proxy) -> None:
    """Many transfers over a network of which no connection lives long."""
    seconds = float(os.environ.get("REGTUI_SECONDS", "15"))
    until, seed = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        seed += 1
        chance = random.Random(seed)
        digests = ann.capture(*(os.urandom(chance.randrange(4 << 20)) for _ in range(8)))
        for machine, way in ((ann, ann.up), (ben, ben.down)):
            for _ in range(100):
                net.faults.halve = chance.random() < 0.5
                net.faults.cuts = [
                    (chance.randrange(3 << 20), chance.randrange(3 << 20)) for _ in range(40)
                ]
                try:
                    way(digests)
                except Unreachable:
                    continue
                break
            assert machine.is_sound(digests), seed
    print(f"{seed} rounds, {net.cut} cuts")


def test_digests_are_those_of_the_bytes(ann: Machine) -> None:
    assert ann.capture(b"x") == [blake3(b"x").hexdigest()]
