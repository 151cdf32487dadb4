"""Bundles that are not what they say: one clear error, nothing registered, nothing stored."""

import bz2
import gzip
import io
import lzma
import random
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blake3 import blake3

import regtui
from regtui.artifacts.bundle_file import DESCRIPTION, DIGESTS
from regtui.core.errors import BadInput, Damaged, RegtuiError
from regtui.core.identity import version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.registry import Registry
from regtui.registry.series import parse_series
from tests.registry.bundles import Entries, described, lines, person, read, rewritten, write
from tests.registry.keeping import objects
from tests.replica.ledger import check_replica


@pytest.fixture(scope="session")
def bundles(ranker_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with bundles to copy: of a version and of a registry, with a card."""
    folder = tmp_path_factory.mktemp("bundles")
    ranker = regtui.open(shutil.copytree(ranker_home, folder / "home"))
    ranker.export(None, folder / "plain.regtui")
    ranker.edit("ranker", {"card": "# Ranker\n"})
    ranker.export("ranker@1", folder / "version.regtui")
    ranker.export(None, folder / "registry.regtui")
    return folder


@pytest.fixture(params=["version", "registry"])
def bundle(request: pytest.FixtureRequest, bundles: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(bundles / f"{request.param}.regtui", tmp_path / "b.regtui"))


@pytest.fixture
def version(bundles: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(bundles / "version.regtui", tmp_path / "v.regtui"))


@pytest.fixture
def whole(bundles: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(bundles / "plain.regtui", tmp_path / "r.regtui"))


@pytest.fixture
def there(empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return an empty registry of somebody else."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return person("ben", Path(shutil.copytree(empty_home, tmp_path / "there")))


def refused(there: Registry, bundle: Path, words: str = "") -> RegtuiError:
    """Check that a bundle is refused in one line, and that the home is as it was."""
    with pytest.raises((BadInput, Damaged)) as found:
        there.import_bundle(bundle)
    assert words in str(found.value), found.value
    assert "\n" not in str(found.value)
    assert found.value.exit_code in {2, 8}
    assert there.sql("select count(*) from operations").rows == [(0,)]
    assert objects(there.home) == set()
    assert [path.name for path in (there.home / "tmp").glob("*") if path.is_dir()] == []
    return found.value


def entry(name: str, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def inserted(bundle: Path, *new: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Return a bundle with more entries before its list of digests, which fits them."""
    entries = read(bundle)
    return write(bundle.with_name("more"), [*entries[:-1], *new, entries[-1]])


STRANGE: dict[str, tuple[tarfile.TarInfo, bytes]] = {
    "leaves the folder": (entry("../evil"), b"x"),
    "leaves it deeper": (entry("objects/ab/../../../evil"), b"x"),
    "absolute": (entry("/tmp/evil"), b"x"),
    "symbolic link": (entry("objects/ab/" + "0" * 62, type=tarfile.SYMTYPE, linkname="/x"), b""),
    "hard link": (entry("objects/ab/" + "0" * 62, type=tarfile.LNKTYPE, linkname="x"), b""),
    "device": (entry("objects/ab/" + "0" * 62, type=tarfile.CHRTYPE), b""),
    "block device": (entry("objects/ab/" + "0" * 62, type=tarfile.BLKTYPE), b""),
    "pipe": (entry("objects/ab/" + "0" * 62, type=tarfile.FIFOTYPE), b""),
    "folder": (entry("objects/ab", type=tarfile.DIRTYPE), b""),
    "sparse": (entry("objects/ab/" + "0" * 62, type=tarfile.GNUTYPE_SPARSE), b"x"),
    "extended header": (entry("objects/ab/" + "0" * 62, type=tarfile.XHDTYPE), b"11 path=../x\n"),
    "long name": (entry("x", type=tarfile.GNUTYPE_LONGNAME), b"../evil\0"),
    "another name": (entry("notes.txt"), b"x"),
    "upper case": (entry("objects/AB/" + "0" * 62), b"x"),
    "its description again": (entry(DESCRIPTION), b"{}"),
    "a page of nothing known": (entry("secrets/000001.jsonl"), b"{}\n"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_entries_that_no_bundle_has(there: Registry, bundle: Path, kind: str) -> None:
    info, data = STRANGE[kind]
    refused(there, inserted(bundle, (info, data)), "is damaged")


def test_an_entry_that_is_there_twice(there: Registry, bundle: Path) -> None:
    *_, last, _ = read(bundle)
    refused(there, inserted(bundle, last), "is not where it belongs")


def test_entries_in_another_order(there: Registry, bundle: Path) -> None:
    first, *rest, last = read(bundle)
    refused(there, write(bundle.with_name("o"), [first, *reversed(rest), last]), "is damaged")


def test_a_file_that_no_version_names(there: Registry, bundle: Path) -> None:
    digest = "f" * 2 + blake3(b"x").hexdigest()[2:]
    refused(there, inserted(bundle, (entry(f"objects/ff/{digest[2:]}"), b"x")), "no version names")


def test_a_file_that_is_not_what_its_name_says(there: Registry, bundle: Path) -> None:
    entries = read(bundle)
    name = entries[-2][0].name
    refused(there, rewritten(bundle, name, lambda data: b"\xff" * len(data)), "not what its name")


def test_a_file_of_another_size(there: Registry, bundle: Path) -> None:
    name = read(bundle)[-2][0].name
    refused(there, rewritten(bundle, name, lambda data: data + b"x"), "is damaged")


def test_a_file_that_is_missing(there: Registry, version: Path) -> None:
    entries = read(version)
    refused(there, write(version.with_name("less"), [*entries[:-2], entries[-1]]), "lacks files")


def test_a_text_that_is_not_what_its_name_says(there: Registry, version: Path) -> None:
    name = next(e.name for e, _ in read(version) if e.name.startswith("texts/"))
    refused(there, rewritten(version, name, lambda _: b"# Evil\n"), "not what its name says")


def test_a_text_that_nothing_mentions(there: Registry, version: Path) -> None:
    text = b"evil"
    first, *rest = read(version)
    name = f"texts/{blake3(text).hexdigest()}"
    rest = sorted([*rest[:-4], (entry(name), text)], key=lambda one: one[0].name) + rest[-4:]
    refused(there, write(version.with_name("more"), [first, *rest]), "is damaged")


def test_a_list_of_digests_that_is_missing(there: Registry, version: Path) -> None:
    entries = [one for one in read(version) if one[0].name != DIGESTS]
    refused(there, write(version.with_name("less"), entries), "is damaged")


@pytest.mark.parametrize("text", ["the card", "a series"])
def test_a_text_of_a_version_that_is_missing(
    there: Registry, ranker: Registry, version: Path, text: str
) -> None:
    ranker.edit("ranker", {"card": "# Ranker\n"})
    ranker.add_series("ranker@1", parse_series("step,loss\n0,1\n1,0.5\n"))
    ranker.export("ranker@1", version, replace=True)
    start = b"#" if text == "the card" else b"{"
    entries = [
        one
        for one in read(version)
        if not (one[0].name.startswith("texts/") and one[1].startswith(start))
    ]
    refused(there, write(version.with_name("less"), entries), "lacks the text")


def test_a_text_that_is_not_utf_8(there: Registry, version: Path) -> None:
    text = b"\xff"
    card = blake3(text).hexdigest()
    entries = [
        (entry(f"texts/{card}"), text) if info.name.startswith("texts/") else (info, data)
        for info, data in read(version)
    ]
    changed = described(write(version.with_name("t"), entries), model__values={"card": card})
    refused(there, changed, "not UTF-8")


@pytest.mark.parametrize("text", ["a card", "a series", "a candidate"])
def test_a_text_of_a_registry_that_is_missing(
    there: Registry, ranker: Registry, tmp_path: Path, text: str
) -> None:
    ranker.edit("ranker", {"card": "# Ranker\n"})
    ranker.add_series("ranker@1", parse_series("step,loss\n0,1\n1,0.5\n"))
    contest_card(ranker, "# Theirs\n", tmp_path)
    ranker.export(None, tmp_path / "r")
    start = {"a card": "# Ranker", "a series": "{", "a candidate": "# Theirs"}[text]

    def lose(records: list[Any]) -> None:
        records[:] = [one for one in records if not one["text"].startswith(start)]

    refused(there, rewritten(tmp_path / "r", "texts/000001.jsonl", lines(lose)), "texts")


def contest_card(ranker: Registry, card: str, tmp_path: Path) -> None:
    """Let somebody else write another card who did not see the one that stands."""
    ranker.export(None, tmp_path / "before")
    other = person("eve", tmp_path / "other")
    other.import_bundle(tmp_path / "before")
    ranker.edit("ranker", {"card": "# Ranker 2\n"})
    other.edit("ranker", {"card": card})
    other.export(None, tmp_path / "after")
    ranker.import_bundle(tmp_path / "after")
    assert len(ranker.conflicts()) == 1


def test_a_list_of_digests_of_something_else(there: Registry, bundle: Path) -> None:
    entries: Entries = read(bundle)
    info, data = entries[-1]
    changed = b"0" * 64 + data[64:] if not data.startswith(b"0" * 64) else b"1" * 64 + data[64:]
    bundle = write(bundle.with_name("l"), [*entries[:-1], (info, changed)], listed=False)
    refused(there, bundle, "list of digests")


@pytest.mark.parametrize("size", [10**12, 2**62, 8**11 - 1])
def test_a_size_that_is_only_claimed(there: Registry, bundle: Path, size: int) -> None:
    for at in (0, 1, -2):
        entries = read(bundle)
        data = io.BytesIO()
        for index, (info, content) in enumerate(entries):
            info.size = size if index == at % len(entries) else len(content)
            data.write(info.tobuf(tarfile.GNU_FORMAT))
            data.write(content + b"\0" * (-len(content) % 512))
        data.write(b"\0" * 1024)
        bundle.write_bytes(data.getvalue())
        refused(there, bundle)
        write(bundle, [(info, content) for info, content in entries])


def test_a_bundle_that_was_cut_off_anywhere(there: Registry, bundle: Path) -> None:
    data = bundle.read_bytes()
    chance = random.Random(5)
    places = {0, 1, 511, 512, 513, len(data) - 1, len(data) - 512, len(data) - 1024}
    places |= {chance.randrange(len(data)) for _ in range(12)}
    for place in sorted(places):
        bundle.write_bytes(data[:place])
        refused(there, bundle)


def test_a_bundle_in_which_any_byte_was_changed(there: Registry, bundle: Path) -> None:
    data = bundle.read_bytes()
    chance = random.Random(6)
    with tarfile.open(bundle) as archive:
        contents = [(one.offset_data, one.size) for one in archive if one.size]
    for _ in range(12):
        start, size = chance.choice(contents)
        place = start + chance.randrange(size)
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        bundle.write_bytes(changed)
        refused(there, bundle)


def test_something_between_its_entries(there: Registry, bundle: Path) -> None:
    with tarfile.open(bundle) as archive:
        first = next(iter(archive))
    data = bytearray(bundle.read_bytes())
    data[first.offset_data + first.size] = 1
    bundle.write_bytes(data)
    refused(there, bundle, "something stands behind")


def test_something_after_the_end(there: Registry, bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes() + b"\0" * 512 + b"more")
    refused(there, bundle, "something follows its end")


def test_zeros_after_the_end_as_tar_pads_them(there: Registry, bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes() + b"\0" * 9_000)
    there.import_bundle(bundle)
    assert there.version("ranker@1").files == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"x", "damaged"),
        (b"garbage" * 1000, "is no bundle"),
        (b"\0" * 2048, "is no bundle"),
        (b'{"format": "regtui bundle"}' + b" " * 600, "is no bundle"),
    ],
)
def test_what_is_no_bundle(there: Registry, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "x").write_bytes(data)
    refused(there, tmp_path / "x", words)


def test_a_tar_of_other_things(there: Registry, tmp_path: Path) -> None:
    refused(there, write(tmp_path / "x", [(entry("a.txt"), b"x")]), "is no bundle")
    refused(there, write(tmp_path / "y", [(entry(DESCRIPTION), b"{}")]), "is no bundle")


def test_a_backup_is_named(there: Registry, ranker: Registry, tmp_path: Path) -> None:
    ranker.create_backup(tmp_path / "backup.tar")
    refused(there, tmp_path / "backup.tar", "regtui backup restore")


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")]
)
def test_a_compressed_bundle_is_named(
    there: Registry, bundle: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    bundle.write_bytes(pack(bundle.read_bytes()))
    refused(there, bundle, f"compressed with {name}")


def test_a_newer_format_says_to_upgrade(there: Registry, bundle: Path) -> None:
    for newer in ({"v": 2}, {"kind": "dossier"}, {"v": 2, "model": 7, "registry": []}):
        refused(there, described(bundle, **newer), "upgrade regtui")


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 1_000_000,
        b'{"format":"regtui bundle","v":1,"kind":"version","x":' + b"[" * 1_000_000,
        b"\xff" * 100,
        b"null",
        b'{"format":"regtui bundle","v":1,"kind":"version"}',
        b'{"format":"regtui bundle","v":1e99,"kind":"version"}',
        b'{"format":"regtui bundle","v":1,"kind":"registry","registry":"x"}',
    ],
)
def test_a_description_that_is_none(there: Registry, bundle: Path, bomb: bytes) -> None:
    refused(there, rewritten(bundle, DESCRIPTION, lambda _: bomb))


DIGEST = "0" * 64
LIES: dict[str, dict[str, Any]] = {
    "another content digest": {"version__digest": DIGEST},
    "another id": {"version__id": "00000000-0000-0000-0000-000000000000"},
    "another model": {"model__name": "other"},
    "a malformed model": {"model__name": "a@b"},
    "another generation": {"model__generation": 1},
    "a negative generation": {"model__generation": -1},
    "a nonce": {"version__nonce": "x"},
    "another author": {"version__author": "eve"},
    "a creation before time": {"version__created": -1},
    "a creation after the year 9999": {"version__created": 500_000_000_000_000_000},
    "a place after the year 9999": {
        "version__values": {
            "places": {
                "x": {"host": "h", "folder": "/", "name": "n", "at": 2**62, "author": DIGEST[:36]}
            }
        }
    },
    "no registry": {"registry": "x"},
    "no files": {"files": []},
    "files that are none": {"files": [[1]]},
    "files above": {"files": [["../x", 1, False, DIGEST]] * 1},
    "values that are none": {"version__values": [1]},
    "metrics that are none": {"version__values": {"metrics": [1]}},
    "a metric that is none": {"version__values": {"metrics": {"f1": "high"}}},
    "a place that is none": {"version__values": {"places": {"x": 1}}},
    "a parent that is none": {"version__values": {"parents": {"x": True}}},
    "a control character": {"version__values": {"tags": {"a\nb": "x"}}},
    "a long value": {"version__values": {"tags": {"a": "x" * 70_000}}},
    "a huge number": {"version__values": {"params": {"a": 2**70}}},
    "a card that is no text": {"model__values": {"card": 7}},
    "owners that are none": {"model__values": {"owners": {"ann": "yes"}}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_description_that_contradicts_itself(there: Registry, version: Path, lie: str) -> None:
    refused_or_failed(there, described(version, **LIES[lie]))


def refused_or_failed(there: Registry, bundle: Path) -> None:
    """Check that nothing is registered; what is only found by the judge may leave stored files."""
    with pytest.raises((BadInput, Damaged)) as found:
        there.import_bundle(bundle)
    assert "\n" not in str(found.value)
    assert there.sql("select count(*) from operations").rows == [(0,)]
    assert there.models() == []


def test_paths_that_leave_their_folder(there: Registry, version: Path) -> None:
    for paths in (
        ["../x", "b", "c"],
        ["/x", "b", "c"],
        ["a", "a/b", "c"],
        ["a", "a", "c"],
        ["", "b", "c"],
        [".regtui/registry.duckdb", "b", "c"],
        ["a/.RegTUI/registry.duckdb", "b", "c"],
        ["x" * 300, "b", "c"],
        ["a/" * 3000 + "x", "b", "c"],
    ):
        files = msgspec.json.decode(read(version)[0][1])["files"]
        for file, path in zip(files, paths, strict=True):
            file[0] = path
        refused(there, remade(version, files), "is damaged")


def remade(version: Path, files: list[list[Any]]) -> Path:
    """Return a bundle with another list of files, whose digest and ids follow from it."""
    files = sorted(files)
    found = msgspec.json.decode(read(version)[0][1])
    digest = content_digest([FileEntry(*file) for file in files])
    identity = version_id(found["model"]["id"], digest, found["version"]["nonce"])
    return described(version, files=files, version__digest=digest, version__id=identity)


def test_a_name_of_a_file_alone_that_makes_a_registry_is_not_used(
    there: Registry, ranker: Registry, tmp_path: Path
) -> None:
    (tmp_path / "weights").write_bytes(b"weights")
    ranker.capture(tmp_path / "weights", model="alone")
    ranker.export("alone@1", tmp_path / "v")
    places = msgspec.json.decode(read(tmp_path / "v")[0][1])["version"]["values"]["places"]
    for place in places.values():
        place["name"] = ".regtui"
    there.import_bundle(described(tmp_path / "v", version__values={"places": places}))

    there.checkout("alone@1", tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model"]


def test_values_nested_without_end(there: Registry, version: Path) -> None:
    def change(data: bytes) -> bytes:
        deep = b"[" * 100_000 + b"]" * 100_000
        return data.replace(b'"tags":{"env":"prod"}', b'"tags":{"env":' + deep + b"}")

    refused_or_failed(there, rewritten(version, DESCRIPTION, change))


def test_fields_of_a_newer_program_are_left_out_and_named(there: Registry, version: Path) -> None:
    bundle = described(version, version__values={"tags": {"a": "1"}, "aura": {"x": 1}}, new=1)
    found = there.import_bundle(bundle)
    assert found.ignored == ["aura"]  # type: ignore[union-attr]
    assert there.version("ranker@1").tags == {"a": "1"}
    check_replica(there.home)


Change = Callable[[list[Any]], None]


def set_in(index: int, field: str | int, value: Any) -> Change:
    def change(records: list[Any]) -> None:
        records[index][field] = value

    return change


def replace_in(index: int, field: str, old: str, new: str) -> Change:
    def change(records: list[Any]) -> None:
        assert old in records[index][field]
        records[index][field] = records[index][field].replace(old, new)

    return change


TAMPERED: dict[str, tuple[str, Change]] = {
    "an operation's bytes": ("operations", replace_in(1, "operation", "prod", "test")),
    "an operation's actor": ("operations", replace_in(0, "operation", '"actor":"', '"actor":"0')),
    "a verdict": ("operations", replace_in(1, "verdict", '"now":', '"now":1')),
    "no operation": ("operations", set_in(1, "operation", "{}")),
    "no verdict": ("operations", set_in(1, "verdict", "[]")),
    "another place": ("operations", set_in(1, "seq", 7)),
    "an operation left out": ("operations", lambda records: records.pop(1)),
    "the last one left out": ("operations", lambda records: records.pop()),
    "two operations swapped": ("operations", lambda records: records.reverse()),
    "an operation twice": ("operations", lambda records: records.append(records[-1])),
    "another signature": ("operations", set_in(-1, "signatures", [])),
    "a forged signature": (
        "operations",
        lambda records: records[-1]["signatures"][0].update(signature="00" * 64),
    ),
    "a signature that is none": (
        "operations",
        lambda records: records[-1]["signatures"][0].update(signature="xyz"),
    ),
    "another key": ("enrolments", set_in(0, "public_key", "00" * 32)),
    "a key that is none": ("enrolments", set_in(0, "public_key", "zz")),
    "a document's value": ("documents", replace_in(1, "document", "prod", "test")),
    "a document left out": ("documents", lambda records: records.pop()),
    "a document twice": ("documents", lambda records: records.append(records[-1])),
    "no document": ("documents", set_in(0, "document", "[[[")),
    "an actor's name": ("actors", set_in(0, "name", "eve")),
    "an actor left out": ("actors", lambda records: records.clear()),
    "an actor twice": ("actors", lambda records: records.append(records[0])),
    "a history of nothing": (
        "history",
        set_in(0, "entity", "00000000-0000-0000-0000-000000000000"),
    ),
    "a history of no id": ("history", set_in(0, "entity", "x")),
    "a history of later": ("history", set_in(0, "seq", 10**6)),
    "a file's digest": ("files", set_in(0, 4, DIGEST)),
    "a file's digest that is none": ("files", set_in(0, 4, "x")),
    "a file's path": ("files", set_in(0, 1, "../evil")),
    "a file's size": ("files", set_in(0, 2, 7)),
    "a file's size that is none": ("files", set_in(0, 2, -1)),
    "a file left out": ("files", lambda records: records.pop()),
    "a file of no version": ("files", set_in(0, 0, "00000000-0000-0000-0000-000000000000")),
    "a file twice": ("files", lambda records: records.append(records[0])),
    "records of another kind": ("files", lambda records: records.append({"a": 1})),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_registry_that_was_tampered_with(there: Registry, whole: Path, what: str) -> None:
    section, change = TAMPERED[what]
    refused(there, rewritten(whole, f"{section}/000001.jsonl", lines(change)), "is damaged")


@pytest.fixture(scope="session")
def newer(ranker_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ben's home, which has ann's registry, and a bundle of a newer one."""
    folder = tmp_path_factory.mktemp("newer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        ranker = regtui.open(shutil.copytree(ranker_home, folder / "home"))
        ranker.export(None, folder / "r.regtui")
        person("ben", folder / "ben").import_bundle(folder / "r.regtui")
        ranker.edit("ranker@2", {"tags/new": "1"})
        ranker.export(None, folder / "r.regtui", replace=True)
    return folder


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_registry_is_not_merged(
    newer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    ben = person("ben", Path(shutil.copytree(newer / "ben", tmp_path / "ben")))
    bundle = Path(shutil.copy(newer / "r.regtui", tmp_path))
    before = ben.sql("select id from operations").rows
    section, change = TAMPERED[what]
    with pytest.raises((BadInput, Damaged)):
        ben.import_bundle(rewritten(bundle, f"{section}/000001.jsonl", lines(change)))
    assert ben.sql("select id from operations").rows == before
    check_replica(ben.home)


def test_a_text_of_a_registry_that_is_another_one(
    ranker: Registry, there: Registry, tmp_path: Path
) -> None:
    ranker.edit("ranker", {"card": "# Ranker\n"})
    ranker.export(None, tmp_path / "r")
    changed = rewritten(tmp_path / "r", "texts/000001.jsonl", lines(set_in(0, "text", "# Evil\n")))
    refused(there, changed, "is another one")


@pytest.mark.parametrize("field", ["head", "link", "registry"])
def test_a_registry_that_says_to_end_elsewhere(there: Registry, whole: Path, field: str) -> None:
    value = {"head": 3, "link": DIGEST, "registry": "00000000-0000-0000-0000-000000000000"}[field]
    refused(there, described(whole, **{field: value}), "is damaged")


def test_operations_of_a_newer_program_say_to_upgrade(there: Registry, whole: Path) -> None:
    change = replace_in(0, "operation", '"kind":"model.create"', '"kind":"model.bless"')
    refused(there, rewritten(whole, "operations/000001.jsonl", lines(change)), "upgrade regtui")


def test_a_page_nested_without_end(there: Registry, whole: Path) -> None:
    for section in ("documents", "history", "operations", "files"):
        refused(there, rewritten(whole, f"{section}/000001.jsonl", lambda _: b"[" * 100_000))
