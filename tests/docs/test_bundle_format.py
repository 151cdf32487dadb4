"""A reader that knows `docs/bundles.md` and nothing of this program, and what it verifies."""

import json
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import regtui

NAMESPACE = uuid.UUID("6f1f3a52-6d0e-5c1c-9a35-7265677475a1")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    registry = regtui.open(tmp_path / "home")
    (tmp_path / "run" / "sub").mkdir(parents=True)
    (tmp_path / "run" / "model.bin").write_bytes(b"weights")
    (tmp_path / "run" / "sub" / "\u00e9.txt").write_text("x", encoding="utf-8")
    registry.capture(tmp_path / "run", model="team/ranker", metrics={"f1": 0.5}, alias="champion")
    registry.capture(tmp_path / "run" / "model.bin", model="team/ranker", new=True)
    registry.edit("team/ranker", {"card": "# Ranker\n"})
    registry.edit("team/ranker@1", {"description": "first"})
    return registry


def entries_of(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        found = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    digests = "".join(
        f"{blake3(data).hexdigest()}  {name}\n" for name, data in found.items()
    ).splitlines(keepends=True)
    assert found["digests.txt"].decode() == "".join(digests[:-1])
    return found


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def identity(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "\0".join(parts)))


@pytest.mark.parametrize("reference", ["team/ranker@1", "team/ranker@2"])
def test_a_stranger_reads_a_version(registry: Any, tmp_path: Path, reference: str) -> None:
    registry.export(reference, tmp_path / "v")
    entries = entries_of(tmp_path / "v")
    assert next(iter(entries)) == "regtui.json"
    found = json.loads(entries["regtui.json"])
    model, version = found["model"], found["version"]
    assert (found["format"], found["v"], found["kind"]) == ("regtui bundle", 1, "version")
    assert blake3(compact(found["files"])).hexdigest() == version["digest"]
    assert model["id"] == identity("model", model["name"], str(model["generation"]))
    assert version["id"] == identity("version", model["id"], version["digest"], version["nonce"])
    assert version["author_id"] == identity("user", version["author"].lower())
    for _, size, _, digest in found["files"]:
        assert len(entries[f"objects/{digest[:2]}/{digest[2:]}"]) == size
    assert entries[f"texts/{model['values']['card']}"] == b"# Ranker\n"


def test_a_stranger_verifies_a_registry(registry: Any, tmp_path: Path) -> None:
    registry.export(None, tmp_path / "r")
    entries = entries_of(tmp_path / "r")
    found = json.loads(entries["regtui.json"])

    def records(folder: str) -> list[Any]:
        pages = [data for name, data in entries.items() if name.startswith(f"{folder}/0")]
        return [json.loads(line) for page in pages for line in page.splitlines()]

    keys = {one["replica"]: bytes.fromhex(one["public_key"]) for one in records("enrolments")}
    for replica, public in keys.items():
        assert replica == str(uuid.UUID(hex=blake3(public).hexdigest()[:32]))
    link, signed = b"\0" * 32, 0
    vouched: dict[str, str] = {}
    tips: dict[str, tuple[int, str]] = {}
    for seq, record in enumerate(records("operations"), start=1):
        operation, verdict = record["operation"].encode(), record["verdict"].encode()
        body = json.loads(operation)
        n, tip = tips.get(body["replica"], (0, "0" * 32))
        assert (record["seq"], body["n"], body["prev"]) == (seq, n + 1, tip)
        tips[body["replica"]] = (n + 1, blake3(operation).hexdigest()[:32])
        parts = blake3(operation).digest() + blake3(verdict).digest()
        link = blake3(b"regtui link 1" + link + parts).digest()
        vouched |= json.loads(verdict)["documents"]
        for one in record.get("signatures", []):
            n, tip = tips.get(one["replica"], (0, "0" * 32))
            said = [
                "regtui signature 1",
                found["registry"],
                one["replica"],
                n,
                tip,
                seq,
                link.hex(),
            ]
            key = Ed25519PublicKey.from_public_bytes(keys[one["replica"]])
            key.verify(bytes.fromhex(one["signature"]), compact(said))
            signed = seq
    assert (seq, link.hex(), signed) == (found["head"], found["link"], found["head"])
    documents = [one["document"] for one in records("documents")]
    held = {json.loads(one)["id"]: blake3(one.encode()).hexdigest() for one in documents}
    assert held == vouched
    for document in map(json.loads, documents):
        if document["kind"] == "version":
            files = sorted(row[1:] for row in records("files") if row[0] == document["id"])
            assert blake3(compact(files)).hexdigest() == document["facts"]["digest"]
    for one in records("texts"):
        assert blake3(one["text"].encode()).hexdigest() == one["digest"]
