"""What a bundle says of one version: itself, its model, its files, the texts that it mentions."""

from collections.abc import Sequence

import msgspec

from regtui.core.bundle import (
    ModelPart,
    VersionBundle,
    VersionPart,
    mentioned_digests,
    values_of,
)
from regtui.core.documents import Document
from regtui.core.errors import Damaged, NotFound
from regtui.core.manifest import FileEntry, content_digest
from regtui.registry.answers import VersionAnswer
from regtui.registry.lookups import actor_names, one_version
from regtui.registry.references import find_version
from regtui.replica.database import Connection
from regtui.replica.texts import lost_texts
from regtui.replica.view import ReplicaView


def described(
    connection: Connection, reference: str, *, artifacts: bool
) -> tuple[VersionBundle, VersionAnswer, list[str]]:
    """Return the description of a version, its answer, and the digests of the texts it mentions.

    Raises:
        NotFound: There is no such version, or it is deleted.
        BadInput: The reference is malformed, or its values are too many for a bundle.
        Damaged: Its list of files is not the one that was captured, or a text of it is missing.
    """
    key, document = find_version(connection, reference)
    answer = one_version(connection, key, document)
    if document.value("state") == "deleted":
        raise NotFound(
            f"{answer.reference} is deleted", f"`regtui version restore {answer.reference}`"
        )
    model = ReplicaView(connection, 0).document(document.stream)
    if model is None:
        raise Damaged(f"the model of {answer.reference} is not there", "`regtui doctor`")
    bundle = VersionBundle(
        registry=_registry(connection),
        reference=answer.reference,
        artifacts=artifacts,
        model=_model(model),
        version=_version(connection, document),
        parents=_parents(connection, sorted(document.entries("parents"))),
        files=_files(connection, key, document),
    )
    for _ in lost_texts(connection, [model, document]):
        raise Damaged(f"a text of {answer.reference} or of its model is missing", "`regtui doctor`")
    mentioned: set[str] = set()
    for values in (bundle.model.values, bundle.version.values):
        mentioned |= mentioned_digests(msgspec.json.decode(values))
    return bundle, answer, _known_texts(connection, sorted(mentioned))


def kept_texts(connection: Connection, digests: Sequence[str]) -> list[tuple[str, str]]:
    """Return digest and text of those that are kept here, by digest."""
    return connection.execute(
        "select digest, any_value(value) from base.text "
        "where digest in (select unnest(?::varchar[])) group by digest order by digest",
        [list(digests)],
    ).fetchall()


def _registry(connection: Connection) -> str:
    row = connection.execute("select registry::varchar from base.replica").fetchone()
    return "" if row is None else str(row[0])


def _model(document: Document) -> ModelPart:
    return ModelPart(
        id=document.id,
        name=document.facts["name"],
        generation=document.facts["generation"],
        values=values_of(document, without=frozenset({"name", "state"})),
    )


def _version(connection: Connection, document: Document) -> VersionPart:
    facts = document.facts
    author = facts["author"]
    return VersionPart(
        id=document.id,
        number=facts["number"],
        digest=facts["digest"],
        nonce=facts["nonce"],
        created=facts["created"],
        author=actor_names(connection, {author}).get(author, author),
        author_id=author,
        values=values_of(document, without=frozenset({"state"})),
    )


def _parents(connection: Connection, parents: list[str]) -> dict[str, str | None]:
    rows = connection.execute(
        "select v.id::varchar, m.name || '@' || v.number from base.version v "
        "join base.model m on m.key = v.model where v.id in (select unnest(?::uuid[]))",
        [parents],
    ).fetchall()
    return dict.fromkeys(parents) | dict(rows)


def _files(connection: Connection, key: int, document: Document) -> list[FileEntry]:
    rows = connection.execute(
        "select path, size, executable, lower(hex(digest)) from base.file where version = ?", [key]
    ).fetchall()
    entries = sorted(FileEntry(*row) for row in rows)
    if content_digest(entries) != document.facts["digest"]:
        raise Damaged(
            "the version's list of files is not the one that was captured",
            "restore the replica from a backup",
        )
    return entries


def _known_texts(connection: Connection, digests: list[str]) -> list[str]:
    rows = connection.execute(
        "select distinct digest from base.text where digest in (select unnest(?::varchar[])) "
        "order by digest",
        [digests],
    ).fetchall()
    return [row[0] for row in rows]
