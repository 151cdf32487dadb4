"""Side by side: the values of several versions at once, to be compared with any one of them.

`diff` tells how two versions differ; this gives what more than two of them hold, read in one go.
Files and tensors are left to `diff`, which matches them by more than their name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from regtui.core.errors import BadInput
from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context
from regtui.registry.diff import chosen_directions
from regtui.registry.lookups import one_version, version_answers
from regtui.registry.references import direction_by_name, document_of, find_version
from regtui.registry.surroundings import surroundings

MOST = 8
"""Versions that are set side by side; more than one can tell apart."""


class Side(Struct, frozen=True, kw_only=True):
    """One of the versions.

    Attributes:
        version: The version.
        context: What is known of its run, by paths with dots.
        packages: Version by package.
    """

    version: VersionAnswer
    context: Mapping[str, Any]
    packages: Mapping[str, str]


class Sides(Struct, frozen=True, kw_only=True):
    """Several versions.

    Attributes:
        sides: In the order asked for.
        directions: `max` or `min`, by the name of each metric that one of them has.
    """

    sides: tuple[Side, ...]
    directions: Mapping[str, str]


def side_by_side(context: Context, references: Sequence[str]) -> Sides:
    """Return the values of versions, whatever their states.

    Args:
        context: The registry.
        references: Of the versions.

    Raises:
        NotFound: There is no such version.
        BadInput: A reference is malformed or names a model, or there are too many.
    """
    if not 1 <= len(references) <= MOST:
        raise BadInput(f"{len(references)} versions can't be compared", f"choose 2 to {MOST}")
    with context.reading() as connection:
        found = [find_version(connection, reference) for reference in references]
        answers = version_answers(connection, [key for key, _ in found])
        chosen = chosen_directions(connection, [document for _, document in found])
        around = [surroundings(connection, document) for _, document in found]
    names = {name for answer in answers for name in answer.metrics}
    return Sides(
        sides=tuple(
            Side(version=answer, context=flat, packages=packages)
            for answer, (flat, packages) in zip(answers, around, strict=True)
        ),
        directions={name: chosen.get(name) or direction_by_name(name) for name in sorted(names)},
    )


def version_before(context: Context, reference: str) -> VersionAnswer | None:
    """Return the version of the same model with the next lower number that is not deleted.

    Args:
        context: The registry.
        reference: Of a version; one without a number yet comes after all that have one.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference is malformed or names a model.
    """
    with context.reading() as connection:
        key, _ = find_version(connection, reference)
        row = connection.execute(
            "select v.key from base.version v join base.version one on one.model = v.model "
            "where one.key = ? and v.state <> 'deleted' "
            "and v.number < coalesce(one.number, 2147483647) order by v.number desc limit 1",
            [key],
        ).fetchone()
        return (
            None
            if row is None
            else one_version(connection, row[0], document_of(connection, row[0]))
        )
