"""Rules of retention: which versions of a model keep their files; kept in `retention.toml`.

They belong to one home: another one of the same registry may keep everything. Of several rules that
match a model the narrowest decides: its own, else that of the longest folder of names, else `*`.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from regtui.capture.keep import KeepRule, parse_keep
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import name_key
from regtui.core.query.times import read_duration
from regtui.registry.rule_files import RuleFile

FILE = "retention.toml"
EVERYTHING = "*"


class RetentionRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of models.

    Attributes:
        model: A model's name, a folder of names (`team/*`), or `*` for all.
        keep: Which versions keep their files, such as `best 3, last 2`.
        after: Age since its capture up to which a version stays whatever `keep` says.
    """

    model: str
    keep: str
    after: str = "0"

    @property
    def kept(self) -> tuple[KeepRule, ...]:
        """What is kept, read."""
        return parse_keep(self.keep)

    @property
    def age(self) -> int:
        """The age in milliseconds."""
        return 0 if self.after == "0" else read_duration(self.after) or 0

    @property
    def keeps_all(self) -> bool:
        """Whether it only takes its models out of a wider rule."""
        return any(rule.kind == "all" for rule in self.kept)

    @property
    def width(self) -> tuple[bool, int]:
        """How much it matches; the narrowest rule has the least."""
        return self.model.endswith(EVERYTHING), -len(self.model)

    def matches(self, name: str) -> bool:
        """Tell whether it is about a model, given by the name that decides identity."""
        if self.model.endswith(EVERYTHING):
            return name.startswith(self.model.removesuffix(EVERYTHING))
        return name == self.model


def checked(rule: RetentionRule) -> RetentionRule:
    """Return a rule with its names as they decide identity.

    Raises:
        BadInput: Something in it means nothing.
    """
    parse_keep(rule.keep)
    if rule.after != "0" and read_duration(rule.after) is None:
        raise BadInput(f"{rule.after!r} is no age", "such as 30d, 12h or 0")
    return structs.replace(rule, model=_pattern(rule.model))


def rules(home: Path) -> list[RetentionRule]:
    """Return the rules of a home, in the order of their file.

    Raises:
        BadInput: The file is malformed; the error names the place.
    """
    return _file(home).read()


def put(home: Path, rule: RetentionRule) -> RetentionRule:
    """Add a rule, or change the one of the same models; return it as it is kept.

    Raises:
        BadInput: Something in it means nothing, or the file is malformed.
        RegtuiError: The file can't be written.
    """
    rule = checked(rule)
    others = [one for one in rules(home) if one.model != rule.model]
    _file(home).write([*others, rule])
    return rule


def remove(home: Path, model: str) -> RetentionRule:
    """Remove the rule of a model, or of several by its pattern, and return it.

    Raises:
        NotFound: There is none.
        BadInput: The name or the file is malformed.
        RegtuiError: The file can't be written.
    """
    wanted = _pattern(model)
    found = rules(home)
    gone = next((one for one in found if one.model == wanted), None)
    if gone is None:
        raise NotFound(f"no retention rule is for {wanted!r}", "`regtui retention ls` lists them")
    _file(home).write([one for one in found if one is not gone])
    return gone


def rule_of(found: Sequence[RetentionRule], name: str) -> RetentionRule | None:
    """Return the narrowest rule that matches a model; None where none does.

    Args:
        found: All rules.
        name: The model's name as it decides identity.
    """
    matching = (rule for rule in found if rule.matches(name))
    return min(matching, key=lambda rule: rule.width, default=None)


def _pattern(text: str) -> str:
    """Return a model's name or a pattern of names as it decides identity."""
    if text == EVERYTHING:
        return text
    if text.endswith("/*"):
        return f"{name_key(text.removesuffix('/*'))}/*"
    return name_key(text)


def _file(home: Path) -> RuleFile[RetentionRule]:
    return RuleFile(home / FILE, "retention", RetentionRule, checked)
