"""Which versions need their stored files: one answer for all who ask.

Two questions differ:

- *May it go?* A collection keeps what any version needs. Deleted versions need nothing, nor do
  archived ones of a model under a retention rule, unless a captured version of another model was
  made from them: an adapter is worth nothing without its base. What the server has to get yet
  stays, too.
- *Has it to be there?* What was released once (`regtui.registry.released`) is missed by nobody,
  even when its version was restored, or when the rule is gone by now.

Both are answered by the versions that need nothing, as a relation of their local keys. What no
version stands for (its row was lost) is needed.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from regtui.registry.context import Context
from regtui.registry.retention_rules import RetentionRule, rules

_DELETED = "select key from base.version where state = 'deleted'"

_EXPIRING = """
select v.key
  from base.version v
 where v.state = 'archived'
   and v.model in (
       select m.key
         from base.model m
         join (
              select unnest($patterns::varchar[]) as pattern, unnest($widths::bigint[]) as width,
                     unnest($expires::boolean[]) as expires
              ) r
           on case when ends_with(r.pattern, '*') then starts_with(m.name, left(r.pattern, -1))
                   else m.name = r.pattern end
        where m.state <> 'deleted'
        group by m.key
       having arg_min(r.expires, r.width)
       )
   and v.key not in (
       select a.key
         from base.version a
         join base.parent p on p.id = a.id
         join base.version c on c.key = p.version
        where c.state = 'captured' and c.model <> a.model
       )
   and v.number is not null
   and v.key not in (select version from base.unsent)
"""

_RELEASED = "select version from base.released"


class Unneeding(Struct, frozen=True):
    """The versions that need nothing, as SQL.

    Attributes:
        sql: A query of their local keys in `key`.
        values: Its parameters, by name.
    """

    sql: str
    values: dict[str, Any]

    def named(self, **more: Any) -> dict[str, Any]:
        """Return the parameters together with others."""
        return self.values | more


def expendable(context: Context) -> Unneeding:
    """Return the versions whose files may go.

    Raises:
        BadInput: The rules of retention are malformed.
    """
    return _unneeding(rules(context.home))


def unexpected(context: Context) -> Unneeding:
    """Return the versions whose files need not be there.

    Raises:
        BadInput: The rules of retention are malformed.
    """
    return _with_released(expendable(context))


def unexpected_elsewhere() -> Unneeding:
    """Return the same for a database that is no home's yet, to which no rule applies."""
    return _with_released(_unneeding([]))


def _unneeding(found: Sequence[RetentionRule]) -> Unneeding:
    if all(rule.keeps_all for rule in found):
        return Unneeding(_DELETED, {})
    # The narrowest rule counts: its own name before any folder, then the longest folder.
    narrowest = sorted(found, key=lambda rule: rule.width)
    values = {
        "patterns": [rule.model for rule in narrowest],
        "widths": list(range(len(narrowest))),
        "expires": [not rule.keeps_all for rule in narrowest],
    }
    return Unneeding(f"{_DELETED} union all {_EXPIRING}", values)


def _with_released(one: Unneeding) -> Unneeding:
    return Unneeding(f"{one.sql} union {_RELEASED}", one.values)
