"""Names and the ids that follow from them.

Two people who make the same model offline have made the same model, because its id is a function of
its name and generation; the same holds for aliases and, through the content digest, for versions. A
*generation* counts how often a name was given anew after its holder was deleted or renamed away, so
that nobody reaches a model by a name that it once had.
"""

import hashlib
import re
import unicodedata
import uuid

from regtui.core import encoding
from regtui.core.errors import BadInput

NAMESPACE = uuid.UUID("6f1f3a52-6d0e-5c1c-9a35-7265677475a1")
"""The namespace of every id that follows from a name. It can never change."""

SHORT_DIGITS = 10
"""Hex digits of a version's id that its short id shows."""

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The form of ids: a UUID in lower case."""

NAME_LIMIT = 200
_RESERVED_ALIAS = r"latest|best|v?[0-9]+|\+[0-9]+"
_LOST_IN_SLUG = r"[^\w.+-]+"


def name_key(name: str, *, segments: bool = True) -> str:
    """Return the form of a name that decides identity: NFC, lower case, segments by `/`.

    Args:
        name: As somebody spells it.
        segments: Whether it may have several; names of people and teams have one.

    Raises:
        BadInput: The name is empty, too long, has empty or dotted segments, white space, control
            characters or one of `@ : , * "`, which references and queries use.
    """
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
    if not key or len(key) > NAME_LIMIT:
        raise BadInput(f"the name {name!r} must have 1 to {NAME_LIMIT} characters")
    refused, allowed = ('@:,*"\\', " /") if segments else ('@:,*"\\/', "")
    bad = next((c for c in key if not c.isprintable() or c.isspace() or c in refused), None)
    if bad is not None:
        hint = f"use letters, digits and . _ - +{allowed}"
        raise BadInput(f"the name {name!r} contains {bad!r}", hint)
    if any(part in {"", ".", ".."} for part in key.split("/")) or key.startswith(("-", "+")):
        such = "use segments such as team/model" if segments else "begin with a letter or digit"
        raise BadInput(f"the name {name!r} is malformed", such)
    return key


def alias_key(name: str) -> str:
    """Return the identity form of an alias name.

    Raises:
        BadInput: It is malformed, has a `/`, or is reserved (`latest`, `best`, numbers).
    """
    key = name_key(name)
    if "/" in key:
        raise BadInput(f"the alias {name!r} contains '/'")
    if re.fullmatch(_RESERVED_ALIAS, key):
        raise BadInput(f"the alias {name!r} is reserved", "it already names a version by itself")
    return key


def slug(text: str) -> str:
    """Return a model name segment made from any text, with a digest suffix where it lost something.

    >>> slug("My Model")
    'my-model-2c8bb4'
    >>> slug("bert-base")
    'bert-base'
    """
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    kept = re.sub(_LOST_IN_SLUG, "-", lowered).strip("-.+")[: NAME_LIMIT // 4]
    if kept == lowered and kept:
        return kept
    return f"{kept or 'model'}-{encoding.digest(text.encode(errors='surrogatepass'))[:6]}"


def model_id(key: str, generation: int) -> str:
    """Return the id of the model that holds a name in its nth generation."""
    return _derived("model", key, str(generation))


def version_id(model: str, digest: str, nonce: str = "") -> str:
    """Return the id of a version; a nonce tells apart what has the same content (`--new`)."""
    return _derived("version", model, digest, nonce)


def alias_id(model: str, key: str) -> str:
    """Return the id of a model's alias."""
    return _derived("alias", model, key)


def conflict_id(entity: str, path: str, operation: str) -> str:
    """Return the id of the conflict that the first losing operation opened on a value."""
    return _derived("conflict", entity, path, operation)


def dataset_id(key: str) -> str:
    """Return the id of the dataset with a name."""
    return _derived("dataset", key)


def policy_id(scope: str, key: str) -> str:
    """Return the id of the policy with a name in a scope."""
    return _derived("policy", scope, key)


def check_id(scope: str, key: str) -> str:
    """Return the id of the check with a name in a scope."""
    return _derived("check", scope, key)


def environment_id(key: str) -> str:
    """Return the id of the environment with a name."""
    return _derived("environment", key)


def deployment_id(promotion: str) -> str:
    """Return the id of the deployment that a promotion request leads to."""
    return _derived("deployment", promotion)


def user_id(name: str) -> str:
    """Return the id of a person or service account; case does not matter."""
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
    return _derived("user", lowered)


def team_id(name: str) -> str:
    """Return the id of the team with a name; case does not matter."""
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
    return _derived("team", lowered)


def grant_id(holder: str, scope: str) -> str:
    """Return the id of what a user or team may do in a scope."""
    return _derived("grant", holder, scope)


def replica_id(public_key: bytes) -> str:
    """Return the id of the replica that signs with this key."""
    return str(uuid.UUID(hex=encoding.digest(public_key)[:32]))


def short_id(version: str) -> str:
    """Return `:` and the leading hex digits of a version's id."""
    return ":" + version.replace("-", "")[:SHORT_DIGITS]


def short_number(version: str) -> int:
    """Return the digits of a short id as an integer: what a replica looks versions up by."""
    return int(version.replace("-", "")[:SHORT_DIGITS], 16)


def _derived(*parts: str) -> str:
    """Return the UUID of version 5 of these parts; `uuid.uuid5` takes four times as long."""
    named = hashlib.sha1(NAMESPACE.bytes + "\0".join(parts).encode(), usedforsecurity=False)
    digits = named.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
