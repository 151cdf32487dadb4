"""Origins: the changes that say what a version was made from."""

from collections.abc import Iterable, Mapping
from typing import Any

from regtui.core.errors import BadInput
from regtui.registry.context import Context
from regtui.registry.datasets import input_value
from regtui.registry.references import find_version, parse


def origins(
    context: Context,
    reference: str,
    *,
    inputs: Mapping[str, str | None],
    parents: Iterable[str],
    without: Iterable[str],
) -> dict[str, Any]:
    """Return the values by path that an edit of a version has to set.

    Args:
        context: The registry.
        reference: The version.
        inputs: Address by name; None takes over that of the dataset of this name.
        parents: References of versions that it was made from.
        without: References of versions that it was not made from.

    Raises:
        NotFound: There is no such version or dataset.
        BadInput: It is a model, or the version itself.
    """
    if parse(reference).kind == "model":
        raise BadInput("only versions have inputs and parents", f"such as {reference}@latest")
    wanted: dict[str, Any] = {}
    with context.reading() as connection:
        _, version = find_version(connection, reference)
        for name, uri in inputs.items():
            wanted[f"inputs/{name}"] = input_value(connection, name, uri)
        for parent in parents:
            _, found = find_version(connection, parent)
            if found.id == version.id:
                raise BadInput(f"{parent} is the version itself", "name what it was made from")
            wanted[f"parents/{found.id}"] = True
        for parent in without:
            wanted[f"parents/{find_version(connection, parent)[1].id}"] = None
    return wanted
