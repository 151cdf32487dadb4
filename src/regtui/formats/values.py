"""What a reader of model files takes and what it answers.

A reader gets a `Source`, something of known size that can be read at any place, and answers
`Facts`. It never runs, imports or unpickles anything; it never raises for what a file holds (a
damaged or hostile file is an answer: `safety="unread"`, with the reason in `problem`); its time and
memory are bounded by `Limits`, not by what a file claims.
"""

from typing import Final, Literal, Protocol

import msgspec

Safety = Literal["no-code", "tensors-only", "needs-classes", "dangerous", "unread"]
"""What loading a file the usual way could do.

no-code        the format can't carry code (safetensors, GGUF, ONNX without custom code, JSON)
tensors-only   a pickle that names nothing but tensors and plain containers
needs-classes  a pickle that names classes of libraries that we know; loading it runs their code
dangerous      a pickle that names anything else, or something that can't be resolved
unread         not understood to its end: nothing can be said
"""

SAFETIES: Final[tuple[Safety, ...]] = (
    "no-code",
    "tensors-only",
    "needs-classes",
    "dangerous",
    "unread",
)

Value = str | int | float | bool | None
"""A value of a file's own metadata, as plain JSON has it."""


class Source(Protocol):
    """Bytes that can be read at any place."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, at most `length`; fewer only where the source ends.

        Raises:
            OSError: The file below could not be read.
        """


class Tensor(msgspec.Struct, frozen=True):
    """One array of a file.

    `offset` and `size` (bytes) say where its raw values lie in the file, in one piece and
    uncompressed; `offset` is None where they don't (compressed, quantised in blocks elsewhere,
    external, or inline in a stream).
    """

    name: str
    dtype: str  # numpy's or torch's short name: float32, bfloat16, int8, …; GGUF's own: q4_k
    shape: tuple[int, ...]
    offset: int | None = None
    size: int = 0


class Facts(msgspec.Struct, frozen=True):
    """What is known of one file.

    Attributes:
        format: `safetensors`, `torch`, `torch-legacy`, `gguf`, `onnx`, `hdf5`, `keras`, `pickle`,
            `joblib`, `skops`, `xgboost`, `lightgbm`, `catboost`, `numpy`, `json`, … or `unknown`.
        safety: See `Safety`.
        complete: False when the file ends before its format says, None where it can't tell.
        globals: `module.name` of everything that loading would import, sorted, each once.
        tensors: In the order of the file.
        metadata: Flat; keys as the file names them, joined by dots.
        problem: One sentence when something could not be read.
        cut: True when `tensors`, `globals` or `metadata` were cut at a limit.
    """

    format: str
    safety: Safety
    complete: bool | None = None
    globals: tuple[str, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    metadata: dict[str, Value] = {}
    problem: str | None = None
    cut: bool = False


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one reading; a file that needs more is `unread` (or `cut`), never slow or large."""

    header_bytes: int = 64 << 20  # a header, a pickle, a member that is read whole
    tensors: int = 100_000
    metadata: int = 2_000  # entries; longer strings than `text` are cut
    text: int = 4_096  # characters of one metadata value
    depth: int = 64  # of nested containers and of archives in archives
    steps: int = 5_000_000  # opcodes, records, nodes


LIMITS: Final = Limits()


class BytesSource:
    """A source in memory: a member of an archive, a test."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._content)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, at most `length`."""
        return self._content[offset : offset + length] if offset >= 0 and length > 0 else b""
