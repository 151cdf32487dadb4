"""numpy's `.npy` files and `.npz` archives of them.

A `.npy` file is a header in Python's notation and the bytes of one array; it carries no code unless
the array is one of objects: then a pickle follows the header and is judged. See `npy.py`.
"""

from regtui.formats.archives import judge_members, open_member
from regtui.formats.npy import NPY_MAGIC, read_array
from regtui.formats.reading import Reading
from regtui.formats.streams import Excess
from regtui.formats.values import LIMITS, Facts, Limits, Source, Tensor
from regtui.formats.zip_directory import MAGIC, STORED, BadArchive, Member, members


def matches(head: bytes, source: Source) -> bool:
    """Tell whether it is a `.npy` file, or a zip archive of nothing but these."""
    if head.startswith(NPY_MAGIC):
        return True
    if not head.startswith(MAGIC):
        return False
    try:
        found = members(source)
    except BadArchive:
        return False
    return bool(found) and all(member.name.endswith(".npy") for member in found)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Read a `.npy` file or `.npz` archive.

    Raises:
        OSError: The file could not be read.
    """
    reading = Reading(limits)
    if source.read(0, len(NPY_MAGIC)) == NPY_MAGIC:
        tensor = read_array(source, "", reading)
        return reading.facts("numpy", [tensor] if tensor else [])
    try:
        found = members(source, limits)
    except BadArchive as error:
        reading.fail(error)
        reading.complete = False if error.truncated else None
        return reading.facts("numpy")
    tensors = read_arrays(source, found, reading)
    reading.complete = True
    return reading.facts("numpy", tensors)


def read_arrays(source: Source, found: tuple[Member, ...], reading: Reading) -> list[Tensor]:
    """Return the arrays among the members of an archive, and judge the other members."""
    tensors: list[Tensor] = []
    for member in found:
        if not member.name.endswith(".npy"):
            judge_members(source, [member], reading, 0)
            continue
        tensor = _member(source, member, reading)
        if tensor is not None and len(tensors) < reading.limits.tensors:
            tensors.append(tensor)
    return tensors


def _member(source: Source, member: Member, reading: Reading) -> Tensor | None:
    name = member.name.removesuffix(".npy")
    try:
        inner = _opened(source, member, reading)
    except (BadArchive, Excess) as error:
        reading.fail(error)
        return None
    tensor = read_array(inner, name, reading)
    if tensor is None or tensor.offset is None:
        return tensor
    stored = member.method == STORED
    offset = member.offset + tensor.offset if stored else None
    return Tensor(name, tensor.dtype, tensor.shape, offset, tensor.size)


def _opened(source: Source, member: Member, reading: Reading) -> Source:
    inner = open_member(source, member, reading)
    if inner.read(0, len(NPY_MAGIC)) != NPY_MAGIC:
        # numpy hands a member that is no array to whoever asks for it, as bytes.
        raise BadArchive(f"{member.name!r} in the zip archive is no .npy file")
    return inner
