"""The JSON Schemas of the documentation, to hold answers to them."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"

_resources: Registry[Any] = Registry().with_resources(
    (path.name, Resource.from_contents(json.loads(path.read_text(encoding="utf-8"))))
    for path in SCHEMAS.glob("*.json")
)


def check(answer: Any, schema: str) -> None:
    """Hold an answer to a schema; the error of jsonschema says what is not as documented."""
    Draft202012Validator({"$ref": f"{schema}.json"}, registry=_resources).validate(answer)
