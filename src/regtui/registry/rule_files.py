"""Files of rules in the home, such as `watch.toml`: an array of tables, one a rule.

People may write them too; what they wrote stays as it is where a rule is added or removed. A file
is written beside its name and renamed, so that a kill leaves the old rules or the new ones.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from regtui.artifacts.faults import disk_errors
from regtui.core.errors import BadInput

AnyRule = TypeVar("AnyRule", bound=Struct)


class RuleFile(Struct, Generic[AnyRule], frozen=True):
    """A file of rules.

    Attributes:
        path: Where it stands.
        table: Name of its tables.
        rule: What one of them says.
        checked: Returns a rule as it is meant; raises `BadInput` where something means nothing.
    """

    path: Path
    table: str
    rule: type[AnyRule]
    checked: Callable[[AnyRule], AnyRule]

    def read(self) -> list[AnyRule]:
        """Return the rules in their order; none where there is no file.

        Raises:
            BadInput: It is malformed, or can't be read; the error names the file.
        """
        try:
            found = tomllib.loads(self.path.read_text(encoding="utf-8"))
            return [self._rule(table) for table in self._tables(found)]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{self.path} can't be read: {error}", "mend it or move it away"
            ) from None
        except BadInput as error:
            raise BadInput(f"{self.path}: {error.message}", error.hint) from None

    def write(self, wanted: Sequence[AnyRule]) -> None:
        """Write rules; the tables of those that stay keep their comments.

        Raises:
            RegtuiError: The file can't be written.
        """
        import tomlkit

        with disk_errors(f"writing {self.path}"):
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
            document = tomlkit.parse(text)
            known = {self._rule(one.unwrap()): one for one in document.get(self.table, [])}
            tables = tomlkit.aot()
            for rule in wanted:
                tables.append(known.get(rule) or tomlkit.item(_told(rule)))
            document[self.table] = tables
            beside = self.path.with_suffix(".new")
            # Tables bring the empty lines around them along, which would pile up.
            told = re.sub(r"\n{3,}", "\n\n", tomlkit.dumps(document)).strip("\n")
            beside.write_text(f"{told}\n" if told else "", encoding="utf-8")
            beside.replace(self.path)

    def _tables(self, found: dict[str, Any]) -> list[Any]:
        return msgspec.convert(found.get(self.table, []), list[Any])

    def _rule(self, table: Any) -> AnyRule:
        return self.checked(msgspec.convert(table, self.rule))


def _told(rule: Struct) -> dict[str, object]:
    """Return what a rule says, without what it leaves open."""
    values = structs.asdict(rule)
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
    return {name: value for name, value in plain.items() if value not in (None, [])}
