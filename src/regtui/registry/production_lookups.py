"""Look-ups of production: requests and deployments by the end of their id, and names for ids."""

import re
from collections.abc import Iterable

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import short_id
from regtui.registry.answers_production import GateAnswer
from regtui.registry.lookups import actor_names, document_by_id, documents_by_id, model_names
from regtui.replica.database import Connection

_END = re.compile(r"[0-9a-f]{4,32}")
_TABLES = {
    "request": "select key, id::varchar from base.promotion "
    "where replace(id::varchar, '-', '') glob ?",
    "deployment": "select key, id::varchar from base.deployment "
    "where replace(id::varchar, '-', '') glob ?",
}


def find_by_end(connection: Connection, kind: str, given: str) -> tuple[int, Document]:
    """Return a request or deployment, with its local key, by its id or an end of it.

    Args:
        connection: The open replica.
        kind: `request` or `deployment`.
        given: What somebody typed, of four digits at least.

    Raises:
        NotFound: There is none.
        BadInput: It is no such end, or several have it.
    """
    digits = given.lower().replace("-", "").lstrip("#")
    if not _END.fullmatch(digits):
        raise BadInput(f"{given!r} is no {kind}", "give its short name, such as 3f9c2ab1")
    rows = connection.execute(_TABLES[kind], [f"*{digits}"]).fetchall()
    if not rows:
        listed = "`regtui request ls`" if kind == "request" else "`regtui deploy ls`"
        raise NotFound(f"there is no {kind} {given}", f"{listed} lists them")
    if len(rows) > 1:
        raise BadInput(f"{len(rows)} of them end in {given}", "give more digits of the id")
    found = document_by_id(connection, rows[0][1])
    if found is None:
        raise NotFound(f"the {kind} {given} is not in the registry any more")
    return int(rows[0][0]), found


class Names:
    """What models, versions and people are called that some documents name.

    Args:
        connection: The open replica.
        versions: Ids of versions.
        people: Ids of people.
    """

    def __init__(
        self, connection: Connection, versions: Iterable[str], people: Iterable[str]
    ) -> None:
        self.versions = documents_by_id(connection, versions)
        self._models = model_names(connection, {one.stream for one in self.versions.values()})
        self._people = actor_names(connection, set(people))

    def reference(self, version: str | None) -> str | None:
        """Return the shortest name that means a version for ever."""
        if version is None:
            return None
        found = self.versions.get(version)
        if found is None or found.facts["number"] is None:
            return short_id(version)
        return f"{self._models.get(found.stream, '')}@{found.facts['number']}"

    def number(self, version: str) -> int | None:
        """Return the number of a version; None until an authority has given one."""
        found = self.versions.get(version)
        return None if found is None else found.facts["number"]

    def person(self, user: str) -> str:
        """Return what somebody is called."""
        return self._people.get(user, user)


def all_pass(gates: Iterable[GateAnswer]) -> bool | None:
    """Return whether all gates pass; None where nobody says no and only the server can tell."""
    said = [one.passed for one in gates]
    if False in said:
        return False
    return None if None in said else True
