"""Pages of tensors: the tensors of one file by their place in it, for lists that one scrolls.

A file may have a hundred thousand of them. A page costs the same wherever it lies, since the rows
of one layout lie together, in the order of the file.
"""

from regtui.registry.answers import TensorAnswer
from regtui.registry.context import Context
from regtui.replica.layouts import kept_layouts, shape_of


def tensor_page(
    context: Context, file: str, digest: str, start: int, count: int
) -> list[TensorAnswer] | None:
    """Return some tensors of a file; None where nothing is kept of the file.

    Args:
        context: The registry.
        file: Its path in its version.
        digest: blake3 of its bytes.
        start: Place of the first of them, from 0.
        count: How many at most.
    """
    with context.reading() as connection:
        kept = kept_layouts(connection, [digest]).get(digest)
        if kept is None:
            return None
        rows = connection.execute(
            "select name, dtype, shape, size, lower(hex(digest)) from base.tensor "
            "where layout = ? and position >= ? and position < ? order by position",
            [kept.key, start, start + count],
        ).fetchall()
    return [
        TensorAnswer(
            path=file,
            tensor=name,
            dtype=dtype,
            shape=list(shape_of(shape)),
            size=size,
            digest=of_values,
        )
        for name, dtype, shape, size, of_values in rows
    ]
