"""Making the layout of a file: facts, tensors with digests, pieces with digests.

Algorithm: ask the reader of the format for the facts, once for each suffix that the file has among
its names, and believe the worst; cut the file at its tensors; hash pieces and tensors in one pass.
A tensor that is exactly one piece is hashed once, a file that is one piece of known digest not at
all.

Invariants: every byte is hashed at most once as part of a tensor, whatever a hostile table claims:
tensors of one place share a digest, and one that overlaps another in part has none. A reader that
fails is a defect, and its file `unread`; it never stops who asked. What is promised of a reader
stands in `regtui.formats`.
"""

from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3
from msgspec.structs import replace

from regtui.artifacts.digesting import Span, digests
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.file_source import FileSource, opened
from regtui.core.errors import Damaged
from regtui.formats.layout import Layout, suffix_of, worst
from regtui.formats.pieces import LARGEST, cut
from regtui.formats.values import BytesSource, Facts, Source, Tensor

__all__ = ["Layout", "checked_layout", "layout_of", "layout_of_source", "small_layout"]

_EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
"""blake3 of no bytes."""


def layout_of(path: Path, *names: str) -> Layout:
    """Return the layout of a file.

    Args:
        path: The file.
        names: What it was called, at least one; it is read as what each name would be opened as.

    Raises:
        RegtuiError: The file can't be read.
    """
    with disk_errors(f"reading {path}"), opened(path) as source:
        return layout_of_source(source, names)


def checked_layout(path: Path, names: Iterable[str], digest: str) -> Layout:
    """Return the layout of a stored file after making sure that it is the one its digest names.

    Args:
        path: The file.
        names: See `layout_of`.
        digest: blake3 of its bytes, as hex digits.

    Raises:
        Damaged: Its bytes are not those.
        RegtuiError: The file can't be read.
    """
    with disk_errors(f"reading {path}"), opened(path) as source:
        suffixes, facts, spans = _read(source, names)
        whole = [(0, source.size)] if source.size else []
        tensors = _apart(facts.tensors, source.size)
        found = digests(source, [spans, _others(tensors, spans), whole])
    if whole and found[2][0, source.size] != digest:
        raise Damaged(f"the stored file {path} is damaged", "`regtui verify` says more")
    return _layout(suffixes, facts, spans, found[0] | found[1])


def layout_of_source(source: FileSource, names: Iterable[str]) -> Layout:
    """Return the layout of an open file.

    Raises:
        OSError: The file can't be read.
    """
    suffixes, facts, spans = _read(source, names)
    tensors = _apart(facts.tensors, source.size)
    pieces, others = digests(source, [spans, _others(tensors, spans)])
    return _layout(suffixes, facts, spans, pieces | others)


def small_layout(content: bytes, name: str, digest: str) -> Layout:
    """Return the layout of a file that is in memory, whose digest is known."""
    source = BytesSource(content)
    facts = _facts(source, name)
    suffixes, whole = (suffix_of(name),), (0, len(content))
    if not facts.tensors and len(content) <= LARGEST:  # most files of a folder
        return Layout(facts, (), ((*whole, digest),) if content else (), suffixes)
    spans = list(cut(source.size, facts.tensors))
    found = {whole: digest}
    view = memoryview(content)
    for offset, length in [*spans, *_apart(facts.tensors, len(content))]:
        if (offset, length) not in found:
            found[offset, length] = blake3(view[offset : offset + length]).hexdigest()
    return _layout(suffixes, facts, spans, found)


def _read(source: Source, names: Iterable[str]) -> tuple[tuple[str, ...], Facts, list[Span]]:
    """Return the suffixes, the facts and where to cut."""
    by_suffix = {suffix_of(name): name for name in names}
    facts = worst(_facts(source, name) for name in by_suffix.values())
    return tuple(sorted(by_suffix)), facts, list(cut(source.size, facts.tensors))


def _facts(source: Source, name: str) -> Facts:
    from regtui.formats import detect

    try:
        return detect.read(source, name)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 -- what a reader does wrong stops no capture
        problem = f"the reader failed ({type(error).__name__})"
        return Facts("unknown", "unread", problem=problem)


def _apart(tensors: tuple[Tensor, ...], size: int) -> list[Span]:
    """Return where tensors lie, each place once, without those that overlap an earlier one."""
    placed = {
        (tensor.offset, tensor.size)
        for tensor in tensors
        if tensor.offset is not None and tensor.offset >= 0 and tensor.size > 0
    }
    apart: list[Span] = []
    end = 0
    for offset, length in sorted(placed, key=lambda span: (span[0], -span[1])):
        if offset >= end and offset + length <= size:
            apart.append((offset, length))
            end = offset + length
    return apart


def _others(tensors: list[Span], pieces: list[Span]) -> list[Span]:
    known = set(pieces)
    return [span for span in tensors if span not in known]


def _layout(
    suffixes: tuple[str, ...], facts: Facts, spans: list[Span], found: dict[Span, str]
) -> Layout:
    return Layout(
        replace(facts, tensors=()),
        tuple((tensor, _digest(tensor, found)) for tensor in facts.tensors),
        tuple((offset, length, found[offset, length]) for offset, length in spans),
        suffixes,
    )


def _digest(tensor: Tensor, found: dict[Span, str]) -> str | None:
    if tensor.offset is None:
        return None
    return found.get((tensor.offset, tensor.size), _EMPTY if tensor.size == 0 else None)
