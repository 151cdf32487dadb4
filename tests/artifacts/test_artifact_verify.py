from pathlib import Path

from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.artifacts.verify import Damage, verify
from regtui.core.manifest import FileEntry


def sizes(entries: list[FileEntry]) -> list[tuple[str, int]]:
    return [(entry.digest, entry.size) for entry in entries]


def entry_of(entries: list[FileEntry], path: str) -> FileEntry:
    return next(entry for entry in entries if entry.path == path)


def test_a_sound_store_has_no_damage(store: ObjectStore, captured: list[FileEntry]) -> None:
    assert list(verify(store, sizes(captured))) == []


def test_each_kind_of_damage_is_told_in_the_order_of_the_entries(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    config, model, script, _, vocab = captured
    flip_a_bit(store.path_of(model.digest))
    store.path_of(config.digest).unlink()
    store.path_of(script.digest).chmod(0o600)
    store.path_of(script.digest).write_text("short")
    store.path_of(vocab.digest).unlink()
    store.path_of(vocab.digest).mkdir()
    found = list(verify(store, [*sizes(captured[:4]), (vocab.digest, folder_size(store, vocab))]))

    assert found == [
        Damage(config.digest, "missing"),
        Damage(model.digest, "damaged"),
        Damage(script.digest, "wrong size"),
        Damage(vocab.digest, "unreadable"),
    ]


def test_a_digest_that_many_versions_name_is_read_once(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    done: list[int] = []

    assert list(verify(store, sizes(captured) * 3, on_progress=done.append)) == []
    assert sum(done) == sum(entry.size for entry in captured)


def test_damage_is_found_among_many_small_files(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(200):
        (tmp_path / "many" / f"{number:03}").write_text(str(number))
    entries = store.ingest(scan(tmp_path / "many"))
    for number in (0, 99, 199):
        flip_a_bit(store.path_of(entries[number].digest))

    damage = [Damage(entries[number].digest, "damaged") for number in (0, 99, 199)]
    assert list(verify(store, sizes(entries))) == damage


def test_looking_can_stop_at_the_first_damage(
    store: ObjectStore, captured: list[FileEntry]
) -> None:
    for entry in captured:
        store.path_of(entry.digest).unlink()
    search = verify(store, sizes(captured))

    assert next(search) == Damage(captured[0].digest, "missing")
    search.close()  # type: ignore[attr-defined]


def flip_a_bit(path: Path) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0b100
    path.write_bytes(data)


def folder_size(store: ObjectStore, entry: FileEntry) -> int:
    return store.path_of(entry.digest).stat().st_size
