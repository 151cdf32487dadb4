"""`regtui ls`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import CONTESTED, emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.registry.figures import age_text, number_text, size_text

if TYPE_CHECKING:
    from regtui.registry.answers import VersionAnswer

app = single()

DEFAULT = "version,aliases,metrics,tags,files,size,author,age"
PLAIN = (
    "version", "model", "number", "id", "aliases", "metrics", "params", "tags", "state", "digest",
    "size", "files", "created", "age", "author", "description", "source",
)  # fmt: skip


@app.command()
def ls(
    query: Annotated[
        list[str], typer.Argument(help="Such as: metric.f1>0.9 tag:env=prod created>7d")
    ] = [],
    sort: Annotated[str | None, typer.Option(help="Such as -metric.f1 or model,-number.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Such as version,metric.f1,param.lr,age.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Versions of one page.")] = 50,
    after: Annotated[str | None, typer.Option(help="Cursor of the page before.")] = None,
    count: Annotated[bool, typer.Option("--count", help="Print how many there are.")] = False,
) -> None:
    """List versions by query.

    Newest first. Archived and deleted versions show only where the query names a state.
    """
    text = " ".join([*query, f"sort:{sort}" if sort else ""]).strip()
    registry = SETTINGS.registry()
    if count:
        found = registry.count(text)
        emit({"count": found}) if SETTINGS.json else say(str(found))
        return
    names = (columns or DEFAULT).split(",")
    _check(names)
    page = registry.versions(text, limit=limit, after=after)
    if SETTINGS.json:
        emit(page)
        return
    if not page.versions:
        warn("no version matches" if text else "no versions yet; `regtui capture PATH` makes one")
        return
    if columns is None:  # what nobody has only takes room from what is there
        names = [n for n in names if any(_cell(version, n) for version in page.versions)]
    rows = [[_cell(version, name) for name in names] for version in page.versions]
    say(table([_heading(name) for name in names], rows, right="SIZE FILES NUMBER AGE"))
    if page.next:
        warn(f"there are more: --after {page.next}")


def _check(names: list[str]) -> None:
    for name in names:
        field, dot, _ = name.partition(".")
        if name not in PLAIN and not (dot and field in {"metric", "param", "tag"}):
            known = ", ".join(PLAIN)
            raise BadInput(
                f"there is no column {name!r}", f"there are {known}, metric.X, param.X and tag.X"
            )


def _heading(name: str) -> str:
    field, dot, key = name.partition(".")
    return key if dot and field in {"metric", "param", "tag"} else name.upper()


def _cell(version: "VersionAnswer", name: str) -> str:  # noqa: PLR0911 -- one a column kind
    field, _, key = name.partition(".")
    if field in {"metric", "param", "tag"} and key:
        value = getattr(version, field + "s").get(key)
        return "" if value is None else _value(value)
    if name == "version":
        return version.reference
    if name == "aliases":
        contested = version.contested
        return ",".join(one + CONTESTED * (one in contested) for one in version.aliases)
    if name == "age":
        return age_text(version.created)
    if name == "size":
        return size_text(version.size)
    value = getattr(version, name)
    if isinstance(value, dict):
        return " ".join(f"{key}={_value(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)


def _value(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return str(value)
