"""Where to cut a file so that equal tensors give equal pieces, whatever container they lie in.

Algorithm: from the first byte to the last,

- a tensor of at least `alone` bytes stands alone, cut at multiples of `largest` from its own start;
- smaller ones that follow one another form a group, up to `grouped` bytes of tensors;
- the bytes between tensors (padding, a zip's local headers) go with the small tensor that they
  precede when it is in a group; else, and when they are many, they are pieces of their own. So are
  the header before the first tensor and the table behind the last.

Where a group ends depends on sizes and order of the tensors, not on their place in the file. The
pieces of tensors that stand alone hold nothing but the tensor: the same ones in a torch zip and in
safetensors share them. A group is shared between versions of one container.

Invariants: the pieces cover `[0, size)` in order, without a gap or an overlap; none is empty or
longer than `largest`; there are at most `size / largest + 4 * len(tensors) + 1`. Nothing is
believed of the tensors: of those that overlap, the later one loses what the earlier one has, and
what lies outside of the file is left out.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from regtui.formats.values import Tensor

LARGEST: Final = 16 << 20
GROUPED: Final = 1 << 20
ALONE: Final = 64 << 10

_MOST_BETWEEN: Final = 4 << 10  # bytes between tensors of a group


def cut(
    size: int,
    tensors: Sequence[Tensor],
    *,
    largest: int = LARGEST,
    grouped: int = GROUPED,
    alone: int = ALONE,
) -> Iterator[tuple[int, int]]:
    """Yield offset and length of each piece of a file, in bytes.

    Args:
        size: Of the file.
        tensors: Of its facts, in any order; those without an offset are left out.
        largest: No piece is longer.
        grouped: No group has more bytes of tensors.
        alone: A tensor of so many bytes is in no group.

    Raises:
        ValueError: A bound is not positive, or a group may be longer than a piece.
    """
    if not 0 < grouped <= largest or alone <= 0 or size < 0:
        raise ValueError("the bounds of pieces are not ordered")
    done = 0  # everything before it is yielded
    end = 0  # of the open group, or `done`
    held = 0  # bytes of tensors in the open group
    for start, length in _spans(size, tensors):
        between = start - end
        if length >= alone:
            yield from _split(done, end, largest)
            yield from _split(end, start, largest)
            yield from _split(start, start + length, largest)
            done, end, held = start + length, start + length, 0
            continue
        fits = held + length <= grouped and start + length - done <= largest
        if not held or not fits or between > _MOST_BETWEEN:
            yield from _split(done, end, largest)
            # A group starts with the padding of its first tensor, but not with the file's header.
            done = end if end and between <= _MOST_BETWEEN else start
            yield from _split(end, done, largest)
            held = 0
        held += length
        end = start + length
    yield from _split(done, end, largest)
    yield from _split(end, size, largest)


def _spans(size: int, tensors: Sequence[Tensor]) -> Iterator[tuple[int, int]]:
    """Yield where tensors lie, in the order of the file and apart from each other."""
    placed = [(item.offset, -item.size) for item in tensors if item.offset is not None]
    end = 0
    for offset, length in sorted(placed):
        start, stop = max(offset, end), min(offset - length, size)
        if offset >= 0 and start < stop:
            yield start, stop - start
            end = stop


def _split(start: int, end: int, largest: int) -> Iterator[tuple[int, int]]:
    for at in range(start, end, largest):
        yield at, min(largest, end - at)
