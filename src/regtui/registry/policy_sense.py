"""Policies as people are about to put them: what can be told of them before anything moves."""

from collections.abc import Mapping, Sequence
from typing import Any

from regtui.core.errors import BadInput
from regtui.core.governance.rule import check_sense
from regtui.registry.policies import read_policy


def check_policies(tables: Sequence[Mapping[str, Any]]) -> None:
    """Refuse policies that no version could ever pass; those that are kept already stay readable.

    Raises:
        BadInput: One is malformed, or its rule can't hold.
    """
    for table in tables:
        name, _, definition = read_policy(table)
        rule = definition.get("rule")
        if rule is None:
            continue
        try:
            check_sense(rule, declared=definition.get("trust") == "declared")
        except BadInput as error:
            raise BadInput(f"the policy {name!r}: {error.message}", error.hint) from None
