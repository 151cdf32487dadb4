"""Lists of files, as replicas send them: what they hold is checked before it is believed."""

import msgspec

from regtui.core import encoding
from regtui.core.errors import BadInput, Damaged
from regtui.core.manifest import FileEntry, check_path
from regtui.wire.pieces import is_digest

_manifest = msgspec.json.Decoder(list[FileEntry])


def files_of(text: bytes) -> list[FileEntry]:
    """Return the files that a list names.

    Raises:
        Damaged: It is no such list.
    """
    try:
        entries = _manifest.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(f"a list of files can't be read: {error}") from None
    if not all(is_digest(entry.digest) for entry in entries):
        raise Damaged("a list of files names something that is no digest")
    return entries


def wrong_list(text: str, *, size: int, files: int) -> str | None:
    """Return why a text is no list of so many files and bytes; None where it is."""
    try:
        entries = files_of(text.encode())
        for entry in entries:
            if entry.path or files > 1:
                check_path(entry.path)
    except (Damaged, BadInput) as error:
        return error.message
    except UnicodeEncodeError:
        return "the list of its files is no Unicode"
    if (sum(entry.size for entry in entries), len(entries)) != (size, files):
        return "the list of its files is one of another content"
    if (
        min(entry.size for entry in entries) < 0
        or encoding.encode(sorted(entries)) != text.encode()
    ):
        return "the list of its files is not as lists are written"
    return None
