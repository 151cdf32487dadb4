"""YAML as plain values, made from the parser's events.

Algorithm: PyYAML's parser (libyaml where it is built in) yields events, which never recurse and
construct nothing; plain maps, lists and values are built of them here, on a stack. An alias costs
what its anchor holds, so a file that doubles itself uses up the same budget as one written out.

Of an object (`!!python/object:…`, as Lightning writes a namespace) the attributes are told as a
map; what has any other tag, such as a call or a function's name, is skipped with all it holds.
Unlike YAML 1.1, `1e-4` is a number, as whoever writes it means.
"""

import math
import re
from typing import TYPE_CHECKING, Any, Final

from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed, TooMuch

if TYPE_CHECKING:
    from collections.abc import Callable

YAML_LIMIT: Final = 8 << 20
"""Bytes of one file."""

_EVENTS: Final = 100_000
_DEPTH: Final = 64
_SKIPPED: Final = object()
_PLAIN: Final = "tag:yaml.org,2002:"
_CONTAINERS: Final = {"map", "omap", "seq", "set", "python/tuple", "python/list", "python/dict"}
_OBJECT: Final = "python/object:"
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,60})")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,40}")
_FLOAT: Final = re.compile(
    r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
)
_WORDS: Final[dict[str, Any]] = {
    "": None, "~": None, "null": None, "true": True, "yes": True, "on": True, "false": False,
    "no": False, "off": False, ".nan": math.nan, ".inf": math.inf, "+.inf": math.inf,
    "-.inf": -math.inf,
}  # fmt: skip


def read_yaml(files: RunFiles, path: str) -> Any:
    """Return the first document of a YAML file as maps, lists, texts, numbers, booleans and None.

    Raises:
        Malformed: It is none, or larger or deeper than can be read.
        OSError: The file could not be read.
    """
    return decode(files.text(path, YAML_LIMIT))


def read_map(files: RunFiles, path: str) -> dict[str, Any]:
    """Return a YAML file that holds a map.

    Raises:
        Malformed: It holds none.
        OSError: The file could not be read.
    """
    found = read_yaml(files, path)
    if not isinstance(found, dict):
        raise Malformed("it holds no map")
    return found


def decode(text: str) -> Any:
    """Return the first document of a YAML text; see `read_yaml`.

    Raises:
        Malformed: It is none, or deeper than can be read, or has more parts.
    """
    import yaml  # costs 20 ms, and most versions have none

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
            if isinstance(event, yaml.DocumentEndEvent):
                break
    except yaml.YAMLError as error:
        sentence = " ".join(str(error).split())
        raise Malformed(f"the YAML text can't be read: {sentence}") from None
    except (RecursionError, ValueError) as error:
        raise Malformed(f"the YAML text can't be read: {type(error).__name__}") from None
    return builder.value


class _Open:
    """A map or list that is being built."""

    def __init__(self, content: Any, anchor: str | None, at: int, *, skipped: bool) -> None:
        self.content = content
        self.anchor = anchor
        self.at = at
        self.skipped = skipped
        self.key: Any = _SKIPPED
        self.has_key = False

    @property
    def awaits_key(self) -> bool:
        """Whether the next value is a key."""
        return isinstance(self.content, dict) and not self.has_key


class _Builder:
    """Builds values of events.

    Attributes:
        value: The document, None until it is there.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self._open: list[_Open] = []
        self._used = 0
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._acts: dict[str, Callable[[Any], None]] = {
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
            "MappingStartEvent": lambda event: self._start({}, event),
            "SequenceStartEvent": lambda event: self._start([], event),
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
        }

    def take(self, event: Any) -> None:
        """Take the next event."""
        self._spend(1)
        act = self._acts.get(type(event).__name__)
        if act is not None:
            act(event)

    def _spend(self, parts: int) -> None:
        self._used += parts
        if self._used > _EVENTS:
            raise TooMuch("the YAML text has more parts than can be read")

    def _scalar(self, event: Any) -> None:
        is_key = bool(self._open) and self._open[-1].awaits_key
        quoted = is_key or not event.implicit[0]  # names stay as they are written
        value = _scalar(event.value, event.tag, quoted=quoted)
        self._keep(event.anchor, value, 1)
        self._put(value)

    def _alias(self, event: Any) -> None:
        value, parts = self._anchors.get(event.anchor, (_SKIPPED, 1))
        self._spend(parts)
        self._put(value)

    def _start(self, content: Any, event: Any) -> None:
        if len(self._open) >= _DEPTH:
            raise TooMuch("the YAML text is nested too deeply")
        skipped = not _is_plain(event.tag)
        self._open.append(_Open(content, event.anchor, self._used, skipped=skipped))

    def _end(self, _: Any) -> None:
        done = self._open.pop()
        value = _SKIPPED if done.skipped else done.content
        self._keep(done.anchor, value, self._used - done.at)
        self._put(value)

    def _keep(self, anchor: str | None, value: Any, parts: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, parts)

    def _put(self, value: Any) -> None:
        """Put a value where it belongs: in the document, in a list, or under or as a key."""
        if not self._open:
            self.value = None if value is _SKIPPED else value
            return
        within = self._open[-1]
        if isinstance(within.content, list):
            if value is not _SKIPPED:
                within.content.append(value)
        elif not within.has_key:
            within.key, within.has_key = value, True
        else:
            _set(within.content, within.key, value)
            within.has_key = False


def _set(content: dict[str, Any], key: Any, value: Any) -> None:
    """Set an entry; `<<` takes in those of another map that are not there."""
    if key == "<<":
        for other in value if isinstance(value, list) else [value]:
            if isinstance(other, dict):
                content.update({name: item for name, item in other.items() if name not in content})
    elif isinstance(key, str) and value is not _SKIPPED:
        content[key] = value


def _is_plain(tag: str | None) -> bool:
    if tag is None or tag == "!":
        return True
    kind = tag.removeprefix(_PLAIN)
    return kind in _CONTAINERS or kind.startswith(_OBJECT)


def _scalar(text: str, tag: str | None, *, quoted: bool) -> Any:
    """Return the value of a scalar, `_SKIPPED` where its tag is of another type."""
    kind = "" if tag is None else tag.removeprefix(_PLAIN).removeprefix("python/")
    if kind in {"str", "unicode", "!", "timestamp"}:
        return text
    if kind in {"int", "float", "bool", "null", "none"}:
        value = _plain(text)
        return float(value) if kind == "float" and type(value) is int else value
    if kind:
        return _SKIPPED
    return text if quoted else _plain(text)


def _plain(text: str) -> Any:
    """Return what an unquoted scalar means."""
    word = text.lower()
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _FLOAT.fullmatch(text) and len(text) < 64:  # noqa: PLR2004 - no number has more digits
        return float(text)
    return text
