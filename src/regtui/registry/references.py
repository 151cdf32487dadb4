"""References: how people and scripts name models and versions.

`MODEL@ALIAS`, `MODEL@7` or `MODEL@v7`, `MODEL@latest`, `MODEL@best`, or a short id `:3f9c…` alone;
a bare `MODEL` names the model. Names are looked up in their identity form, so case does not matter.
"""

import re
from typing import Literal

from msgspec import Struct

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import SHORT_DIGITS, name_key
from regtui.registry import contested
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.projection import slot

# Compiled at first use: most commands need one of them or none.
_NUMBER = r"v?([0-9]+)"
_NO_NUMBER = 2**31 - 1
_SHORT = rf":[0-9a-f]{{{SHORT_DIGITS},32}}"
_LOWER_IS_BETTER = (
    r"loss|error|perplexity|(?<![a-z])(mae|mse|rmse|mape|wer|cer|fid|latency)(?![a-z])"
)


class Reference(Struct, frozen=True):
    """A reference taken apart.

    Attributes:
        kind: What it names.
        model: Name of the model in identity form; None for a short id.
        selector: Alias, `latest` or `best`; hex digits of a short id; the number as it was given.
        number: The version's number; one that none has where it is too large for any.
    """

    kind: Literal["model", "alias", "number", "latest", "best", "short"]
    model: str | None = None
    selector: str = ""
    number: int = 0


def parse(text: str) -> Reference:
    """Take a reference apart.

    Raises:
        BadInput: It is malformed.
    """
    if text.startswith(":"):
        digits = text.lower().replace("-", "")
        if not re.fullmatch(_SHORT, digits):
            raise BadInput(
                f"{text!r} is no short id", f"it is ':' and at least {SHORT_DIGITS} hex digits"
            )
        return Reference("short", selector=digits[1:])
    name, at, selector = text.partition("@")
    model = name_key(name)
    if not at:
        return Reference("model", model)
    selector = selector.lower()
    found = re.fullmatch(_NUMBER, selector)
    if found:
        digits = found[1].lstrip("0") or "0"
        number = int(digits) if len(digits) <= len(str(_NO_NUMBER)) else _NO_NUMBER
        return Reference("number", model, selector=digits, number=min(number, _NO_NUMBER))
    if selector in {"latest", "best"}:
        return Reference("latest" if selector == "latest" else "best", model)
    return Reference("alias", model, selector=name_key(selector))


def find_model(connection: Connection, text: str, *, deleted: bool = False) -> tuple[int, Document]:
    """Return a model's key and document.

    Args:
        connection: The open replica.
        text: Its name.
        deleted: Whether a deleted one is looked for first.

    Raises:
        NotFound: There is no such model; close names are offered.
        BadInput: The name is malformed.
    """
    reference = parse(text)
    if reference.kind != "model":
        raise BadInput(f"{text!r} names a version", "give the model's name alone")
    return model_named(connection, str(reference.model), deleted=deleted)


def model_named(
    connection: Connection, name: str, *, deleted: bool = False
) -> tuple[int, Document]:
    """Return the key and document of the model that holds a name (identity form)."""
    rows = connection.execute(
        "select key, state from base.model where name = ? order by generation desc", [name]
    ).fetchall()
    live = [key for key, state in rows if state != "deleted"]
    gone = [key for key, state in rows if state == "deleted"]
    found = [*gone, *live] if deleted else live
    if found:
        key = int(found[0])
        return key, document_of(connection, key)
    if gone:
        raise NotFound(f"the model {name!r} is deleted", f"`regtui model restore {name}` undoes it")
    raise NotFound(f"there is no model {name!r}", _near(connection, name))


def find_version(connection: Connection, text: str) -> tuple[int, Document]:
    """Return a version's key and document, whatever its state.

    Raises:
        NotFound: There is no such model, version or alias.
        BadInput: The reference is malformed, or names a model.
    """
    reference = parse(text)
    if reference.kind == "short":
        key = _by_short_id(connection, text, reference.selector)
    elif reference.kind == "model":
        raise BadInput(
            f"{text!r} names a model, not a version", f"such as {text}@latest or {text}@1"
        )
    else:
        model, document = model_named(connection, str(reference.model))
        key = _in_model(connection, reference, model, document)
    return key, document_of(connection, key)


def version_of(connection: Connection, model: Document, text: str) -> Document:
    """Return the document of a version of a model, whatever its state.

    Args:
        connection: The open replica.
        model: The model.
        text: A reference, or what stands after its `@`.

    Raises:
        NotFound: There is no such version or alias.
        BadInput: The reference is malformed, or names another model's.
    """
    shown = str(model.value("name"))
    reference = text if "@" in text or text.startswith(":") else f"{shown}@{text}"
    _, version = find_version(connection, reference)
    if version.stream != model.stream:
        raise BadInput(f"{reference} is no version of {shown}", "name one of its versions")
    return version


def document_of(connection: Connection, key: int) -> Document:
    """Return the document with a local key; NotFound where there is none."""
    row = connection.execute(
        "select body, id::varchar from base.document where key = ?", [key]
    ).fetchone()
    if row is None:
        raise NotFound("that is not in the registry any more")
    return stored_document(*row)


def direction_of(model: Document) -> str:
    """Return whether more or less of a model's primary metric is better."""
    chosen = model.value("direction")
    return direction_by_name(str(model.value("primary_metric"))) if chosen is None else str(chosen)


def direction_by_name(metric: str) -> str:
    """Return whether more or less of a metric is better, as its name suggests."""
    return "min" if re.search(_LOWER_IS_BETTER, metric.lower()) else "max"


def _in_model(connection: Connection, reference: Reference, model: int, document: Document) -> int:
    name = reference.model
    if reference.kind == "number":
        row = connection.execute(
            "select key from base.version where slot = ?",
            [slot(model, reference.number)],
        ).fetchone()
        missing = NotFound(
            f"{name!r} has no version {reference.selector}", f"`regtui ls model:{name}` lists them"
        )
    elif reference.kind == "latest":
        row = connection.execute(
            "select key from base.version where model = ? and state = 'captured' "
            "order by number desc nulls first, key desc limit 1",
            [model],
        ).fetchone()
        missing = NotFound(f"{name!r} has no versions yet", "`regtui capture PATH` makes one")
    elif reference.kind == "best":
        return _best(connection, model, document)
    else:
        row = connection.execute(
            "select a.version, (select d.id::varchar from base.conflict c "
            "join base.document d on d.key = c.key "
            "where c.open and c.path = 'version' and c.entity = a.key limit 1) "
            "from base.alias a where a.model = ? and a.name = ? and a.version is not null",
            [model, reference.selector],
        ).fetchone()
        if row is not None and row[1] is not None:
            contested.tell(f"{name}@{reference.selector}", row[1])
        missing = NotFound(
            f"{name!r} has no alias {reference.selector!r}", f"`regtui aliases {name}` lists them"
        )
    if row is None:
        raise missing
    return int(row[0])


def _best(connection: Connection, model: int, document: Document) -> int:
    name, metric = document.value("name"), document.value("primary_metric")
    if metric is None:
        raise BadInput(
            f"{name!r} has no primary metric, so none is best",
            f"`regtui edit {name} --set primary_metric=NAME` chooses one",
        )
    order = "asc" if direction_of(document) == "min" else "desc"
    row = connection.execute(
        "select v.key from base.version v join base.metric t on t.version = v.key "  # noqa: S608
        "where v.model = ? and v.state = 'captured' and t.name = ? and not isnan(t.value) "
        f"order by t.value {order}, v.key limit 1",  # one of two constants
        [model, metric],
    ).fetchone()
    if row is None:
        raise NotFound(f"no version of {name!r} has the metric {metric!r}")
    return int(row[0])


def _by_short_id(connection: Connection, text: str, digits: str) -> int:
    rows = connection.execute(
        "select key, id::varchar from base.version where short = ?",
        [int(digits[:SHORT_DIGITS], 16)],
    ).fetchall()
    keys = [key for key, identity in rows if identity.replace("-", "").startswith(digits)]
    if not keys:
        raise NotFound(f"there is no version {text}")
    if len(keys) > 1:
        raise BadInput(f"{text} names {len(keys)} versions", "add more digits of the id")
    return int(keys[0])


def _near(connection: Connection, name: str) -> str:
    rows = connection.execute(
        "select name from base.model where state <> 'deleted' "
        "order by jaro_winkler_similarity(name, ?) desc limit 3",
        [name],
    ).fetchall()
    names = ", ".join(row[0] for row in rows)
    return f"did you mean {names}?" if names else "`regtui capture PATH` makes the first one"
