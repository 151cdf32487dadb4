"""Which aliases policies protect, and what was asked of them that the server still decides."""

from regtui.core.access import in_scope
from regtui.core.identity import short_id
from regtui.core.operations import ActBody, AliasBody, ResolveBody
from regtui.registry.context import Context
from regtui.registry.lookups import document_by_id
from regtui.registry.requested import requested_operations
from regtui.replica.database import Connection
from regtui.replica.remote import read_remote


class Protection:
    """What policies say of aliases, read once for many of them.

    Args:
        connection: The open replica.
    """

    def __init__(self, connection: Connection) -> None:
        self._policies = connection.execute(
            "select models, target from base.definition "
            "where kind = 'policy' and state = 'active' and target_kind = 'alias'"
        ).fetchall()

    def protects(self, model: str, alias: str) -> bool:
        """Tell whether a policy protects an alias of a model."""
        return any(target == alias and in_scope(models, model) for models, target in self._policies)


def requested_aliases(context: Context, connection: Connection) -> dict[tuple[str, str], str]:
    """Return the references that aliases were asked to point to, by model and alias.

    `nothing` where an alias is to be taken away.
    """
    if read_remote(connection) is None:
        return {}
    wanted = _asked_for(connection) | _moving_by_themselves(context, connection)
    found: dict[tuple[str, str], str] = {}
    for (model, alias), version in wanted.items():
        row = connection.execute(
            "select m.name, v.number from base.model m left join base.version v "
            "on v.model = m.key and v.id = ? where m.id = ?",
            [version, model],
        ).fetchone()
        if row is not None:
            name, number = row
            called = "nothing" if version is None else short_id(version)
            found[name, alias] = called if number is None else f"{name}@{number}"
    return found


def _asked_for(connection: Connection) -> dict[tuple[str, str], str | None]:
    """Return the versions that somebody here asked aliases to go to; None where to be taken away.

    Aliases are told by the id of their model and their name.
    """
    wanted: dict[tuple[str, str], str | None] = {}
    for operations in requested_operations(connection).values():
        for operation in operations:
            body = operation.body
            if isinstance(body, AliasBody):
                wanted[operation.stream, body.name] = body.set["version"].to
            elif isinstance(body, ResolveBody) and body.of_kind == "alias":
                contested = document_by_id(connection, body.of)
                if contested is not None and "version" in body.set:
                    name = str(contested.facts["name"])
                    wanted[operation.stream, name] = body.set["version"].to
            elif isinstance(body, ActBody):
                request = document_by_id(connection, operation.entity)
                if request is not None and request.facts["target_kind"] == "alias":
                    name = str(request.facts["target"])
                    wanted[operation.stream, name] = request.facts["version"]
    return wanted


def _moving_by_themselves(
    context: Context, connection: Connection
) -> dict[tuple[str, str], str | None]:
    """Return the versions that aliases go to by requests that apply themselves, as above."""
    from regtui.registry.promotion_gates import applying_themselves
    from regtui.registry.promotions import seeing

    view, actor = seeing(context, connection)
    return {
        (one.stream, str(one.facts["target"])): one.facts["version"]
        for one in applying_themselves(connection, view, actor, context.replica.clock())
        if one.facts["target_kind"] == "alias"
    }
