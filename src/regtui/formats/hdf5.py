"""HDF5: `.h5`, `.weights.h5` and other files of groups and datasets.

From the root group on, links are followed to every dataset: by symbol tables (a B-tree of nodes
with a heap of names) in the older layout, by link messages in the newer. Each object and each node
is visited once, so a cycle ends. Datasets are the tensors; those in one contiguous piece have a
place in the file.

Safety: HDF5 itself carries no code, but a Keras model in it does when its `model_config` has a
Lambda layer; `keras_config` decides. An attribute of the root that can't be read could be such a
config, so the file is `unread` then; and so is one of PyTables, whose attributes are pickles. A
group that can't be read only makes the list of tensors incomplete, which `problem` says.

`complete` compares the end that the superblock names with the size.
"""

from typing import Final

from regtui.formats import hdf5_messages as messages
from regtui.formats import keras_config
from regtui.formats.cursor import Malformed, TooMuch, unread
from regtui.formats.flat import Flat
from regtui.formats.hdf5_groups import has_heap, links
from regtui.formats.hdf5_messages import Attribute
from regtui.formats.hdf5_objects import Message, Objects, Superblock, find, superblock
from regtui.formats.values import LIMITS, Facts, Limits, Source, Tensor

FORMAT: Final = "hdf5"

_CONFIGS: Final = ("model_config", "training_config")


def matches(head: bytes, source: Source) -> bool:
    """Whether there is a superblock at one of the places where it may be."""
    return find(head, source) is not None


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return the datasets, the root's attributes and what a Keras config in them would load.

    Raises:
        OSError: The file could not be read.
    """
    try:
        block = superblock(source, find(source.read(0, 8), source) or 0, limits)
        return _Tree(source, block, limits).facts()
    except Malformed as error:
        return unread(FORMAT, error)


class _Tree:
    """The groups and datasets while they are found."""

    def __init__(self, source: Source, block: Superblock, limits: Limits) -> None:
        self._source = source
        self._block = block
        self._limits = limits
        self._objects = Objects(source, block, limits)
        self._seen: set[int] = set()
        self._tensors: list[Tensor] = []
        self._metadata = Flat(limits)
        self._problem: str | None = None
        self._safe = True
        self._config = keras_config.Judgement()

    def facts(self) -> Facts:
        """Walk the file."""
        complete = self._complete()
        self._attributes()
        waiting: list[tuple[str, int]] = [("", self._block.root)]
        while waiting:
            name, address = waiting.pop()
            try:
                waiting += reversed(self._object(name, address))
            except Malformed as error:
                self._problem = self._problem or f"{name[:200] or '/'}: {error}"
        unsafe = "unread" if not self._safe else self._config.safety
        return Facts(
            FORMAT,
            "dangerous" if self._config.safety == "dangerous" else unsafe,
            complete=complete,
            globals=self._config.globals,
            tensors=tuple(sorted(self._tensors, key=_in_file)),
            metadata=self._metadata.values,
            problem=self._config.problem or self._problem,
            cut=self._metadata.cut,
        )

    def _complete(self) -> bool | None:
        if self._source.size < self._block.end:
            missing = self._block.end - self._source.size
            self._problem = f"the file ends {missing} bytes early"
            return False
        if self._block.being_written:
            self._problem = "a writer has the file open, or died"
            return False
        return True if self._source.size == self._block.end else None

    def _attributes(self) -> None:
        """Read the root's attributes, and judge what Keras would load."""
        try:
            found = [self._attribute(item) for item in self._root()]
        except Malformed as error:
            self._safe = False
            self._problem = self._problem or f"the root's attributes: {error}"
            return
        for attribute in found:
            if attribute.name in _CONFIGS:
                self._judge(attribute)
            elif attribute.value is not None:
                self._metadata.add(attribute.name, attribute.value)
            if attribute.name == "PYTABLES_FORMAT_VERSION":
                self._safe = False
                self._problem = "PyTables unpickles attributes, which are not read here"

    def _root(self) -> list[Message]:
        header = self._objects.messages(self._block.root)
        for message in header:
            if message.kind == messages.ATTRIBUTE_INFO and has_heap(self._objects, message, 2):
                raise Malformed("they are stored in a way that is not understood")
        return [message for message in header if message.kind == messages.ATTRIBUTE]

    def _attribute(self, message: Message) -> Attribute:
        return messages.attribute(message, self._block.lengths, self._limits, self._objects.text)

    def _judge(self, attribute: Attribute) -> None:
        if attribute.value is None:
            raise Malformed(f"{attribute.name} is no text")
        config = keras_config.parse(str(attribute.value).encode(), self._limits)
        self._config = self._config.worse(keras_config.judge(config, self._limits))
        keras_config.describe(config, self._metadata)

    def _object(self, name: str, address: int) -> list[tuple[str, int]]:
        """Read one object: a dataset gives a tensor, a group what it links to."""
        if address in self._seen:
            return []
        self._seen.add(address)
        header = self._objects.messages(address)
        kinds = {message.kind: message for message in header}
        if messages.LAYOUT in kinds and messages.DATASPACE in kinds:
            self._dataset(name, kinds)
            return []
        prefix = f"{name}/" if name else ""
        if len(prefix) > self._limits.text:
            raise TooMuch("the names are longer than can be read")
        inside = links(self._objects, header, self._limits)
        self._objects.hold(sum(len(prefix) + len(own) for own, _ in inside))
        return [(prefix + own, place) for own, place in inside]

    def _dataset(self, name: str, kinds: dict[int, Message]) -> None:
        if len(self._tensors) >= self._limits.tensors:
            raise TooMuch("there are more datasets than can be read")
        block = self._block
        kind = self._datatype(kinds[messages.DATATYPE]) if messages.DATATYPE in kinds else None
        shape = messages.shape(kinds[messages.DATASPACE].content, block.lengths)
        layout = kinds[messages.LAYOUT].content
        place = messages.place(layout, block.offsets, block.lengths, self._limits)
        offset, size = None, 0
        if place is not None and not self._objects.absent(place[0]):
            offset, size = block.base + place[0], place[1]
            if self._problem is None and offset + size > self._source.size:
                self._problem = f"the data of {name[:200]!r} is behind the file's end"
        dtype = kind.name if kind is not None else "unknown"
        self._tensors.append(Tensor(name, dtype, shape, offset, size))

    def _datatype(self, message: Message) -> messages.Datatype | None:
        """Return a type; one that is shared lies in an object of its own."""
        if not message.shared:
            return messages.datatype(message.content)
        width = self._block.offsets
        start = 8 if message.content[:1] == b"\1" else 2
        address = int.from_bytes(message.content[start : start + width], "little")
        for own in self._objects.messages(address):
            if own.kind == messages.DATATYPE and not own.shared:
                return messages.datatype(own.content)
        return None


def _in_file(tensor: Tensor) -> tuple[bool, int]:
    """Order tensors by their place; those without one come last, as they were found."""
    return tensor.offset is None, tensor.offset or 0
