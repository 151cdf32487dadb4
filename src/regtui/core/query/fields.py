"""The fields of the query language, as data.

The parser, completion and the documentation all read this table; a field that is not in it does not
exist. Adding one here makes it readable; the compiler has to learn what it means.
"""

from typing import Literal

from msgspec import Struct

from regtui.core.query.syntax import Operator

Kind = Literal[
    "path",
    "glob",
    "contains",
    "hex",
    "choice",
    "integer",
    "size",
    "float",
    "time",
    "pair",
    "scalar",
]

EQUALITY: tuple[Operator, ...] = ("=", "!=")
ORDER: tuple[Operator, ...] = ("=", "!=", ">", ">=", "<", "<=")


class Field(Struct, frozen=True):
    """One field.

    Attributes:
        name: As written before the operator.
        kind: How its values are read.
        help: One line.
        example: A term that uses it.
        operators: Those that it takes; `=` is also written `:`.
        naming: Whether it is followed by `.NAME`.
        presence: Whether `:*` asks for there being a value at all.
        sortable: Whether `sort:` takes it.
        choices: The only values, if there are only some.
        digits: The most hex digits that a value may have.
        aliases: Other spellings.
    """

    name: str
    kind: Kind
    help: str
    example: str
    operators: tuple[Operator, ...] = EQUALITY
    naming: Literal["none", "optional", "required"] = "none"
    presence: bool = False
    sortable: bool = False
    choices: tuple[str, ...] = ()
    digits: int = 0
    aliases: tuple[str, ...] = ()


_TABLE = (
    Field(
        name="model",
        kind="path",
        help="The model's name; without a * also everything below it as a folder",
        example="model:nlp/sentiment",
        sortable=True,
        aliases=("name",),
    ),
    Field(
        name="number",
        kind="integer",
        help="The version's number within its model",
        example="number>=3",
        operators=ORDER,
        sortable=True,
    ),
    Field(
        name="id",
        kind="hex",
        help="The first digits of the version's id",
        example="id:3f9c",
        digits=32,
    ),
    Field(
        name="digest",
        kind="hex",
        help="The first digits of the content digest",
        example="digest:a41d09",
        digits=64,
    ),
    Field(
        name="alias",
        kind="glob",
        help="An alias that points at the version; * for any",
        example="alias:champion",
        presence=True,
    ),
    Field(
        name="author",
        kind="glob",
        help="Who captured it",
        example="author:ann",
        sortable=True,
    ),
    Field(
        name="state",
        kind="choice",
        help="captured when not asked for; any for all of them",
        example="state:archived",
        sortable=True,
        choices=("captured", "archived", "deleted", "any"),
    ),
    Field(
        name="created",
        kind="time",
        help="When: a date in UTC, or a time ago in y, w, d, h, m or s (>7d is newer than that)",
        example="created>7d",
        operators=ORDER,
        sortable=True,
    ),
    Field(
        name="size",
        kind="size",
        help="Bytes of all files, also in KB, MB, GB, TB or KiB, MiB, GiB, TiB",
        example="size>=1.5GB",
        operators=ORDER,
        sortable=True,
    ),
    Field(
        name="files",
        kind="integer",
        help="How many files",
        example="files>1",
        operators=ORDER,
        sortable=True,
    ),
    Field(
        name="tag",
        kind="pair",
        help="A tag, or a tag with a value",
        example="tag:env=prod",
        naming="optional",
    ),
    Field(
        name="metric",
        kind="float",
        help="A metric's value; * for having it",
        example="metric.f1>0.9",
        operators=ORDER,
        naming="required",
        presence=True,
        sortable=True,
    ),
    Field(
        name="param",
        kind="scalar",
        help="A parameter as a number, or as text with * in it; in quotes always as text",
        example="param.lr<=1e-4",
        operators=ORDER,
        naming="required",
        presence=True,
        sortable=True,
    ),
    Field(
        name="description",
        kind="contains",
        help="Words in the description; * for having one",
        example='description:"new corpus"',
        presence=True,
    ),
    Field(
        name="source",
        kind="contains",
        help="Part of the path that it was captured from; * for having one",
        example="source:runs/exp-7",
        presence=True,
    ),
    Field(
        name="parent",
        kind="hex",
        help="The first digits of a parent version's id; * for having one",
        example="parent:3f9c",
        presence=True,
        digits=32,
    ),
    Field(
        name="input",
        kind="glob",
        help="The name of a dataset that it was made from; * for any",
        example="input:reviews-*",
        presence=True,
    ),
    Field(
        name="deployed",
        kind="glob",
        help="An environment that it is deployed to now; * for any",
        example="deployed:production",
        presence=True,
    ),
    Field(
        name="check",
        kind="choice",
        help="How the last run of a check ended that policies go by; * for having one",
        example="check.smoke:passed",
        naming="required",
        presence=True,
        choices=("passed", "failed", "error", "timeout"),
    ),
)

FIELDS = {field.name: field for field in _TABLE}

SORT = "sort"
SORT_HELP = "The order: names of fields, with - before it from high to low"
SORT_EXAMPLE = "sort:-metric.f1,created"

_BY_SPELLING = {spelling: field for field in _TABLE for spelling in (field.name, *field.aliases)}


def find(spelling: str) -> Field | None:
    """Return the field that is written so, in any case; None if there is none."""
    return _BY_SPELLING.get(spelling.lower())


def near(spelling: str, *, sorting: bool = False) -> list[str]:
    """Return the names that someone may have meant, the likeliest first."""
    import difflib

    names = [name for name, field in _BY_SPELLING.items() if field.sortable or not sorting]
    return difflib.get_close_matches(spelling.lower(), names if sorting else [*names, SORT], n=3)
