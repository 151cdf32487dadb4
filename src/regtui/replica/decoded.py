"""Stored bytes back to values, wherever the registry reads them.

What a program once wrote can be decoded. Bytes that can't be are damage, and the error names whose
they are, so that nobody has to guess what lies behind it; `regtui doctor` goes on from there. Where
damage is looked for (`examine`, `audit`) or expected (bundles), the core's decoders are used.
"""

from typing import Any

import msgspec

from regtui.core.documents import Document, decode_document
from regtui.core.errors import BadInput, Damaged, RegtuiError
from regtui.core.operations import UnknownKind, decode_operation
from regtui.core.verdicts import decode_verdict
from regtui.core.view import Past

UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding a document or verdict raises where the bytes hold none."""

_HINT = "`regtui doctor` tells what is damaged and what helps"


def stored_document(body: str, identity: str) -> Document:
    """Return the document behind its stored body.

    Raises:
        Damaged: The body holds none.
    """
    try:
        return decode_document(body)
    except UNREADABLE:
        raise Damaged(f"the document {identity} can't be read", _HINT) from None


def stored_past(seq: int, data: str, verdict: str) -> Past:
    """Return the operation and verdict behind their stored bytes.

    Raises:
        Damaged: The bytes hold none.
        RegtuiError: A newer program made the operation.
    """
    past = known_past(seq, data, verdict)
    if past is None:
        raise RegtuiError(f"a newer regtui made the operation #{seq}", "upgrade regtui")
    return past


def known_past(seq: int, data: str, verdict: str) -> Past | None:
    """Return the operation and verdict behind their stored bytes; None for an unknown kind.

    What newer programs made comes down like anything else and stays as it is, for the program that
    will know it.

    Raises:
        Damaged: The bytes hold none.
    """
    try:
        return Past(decode_operation(data.encode()), decode_verdict(verdict.encode()), seq)
    except UnknownKind:
        return None
    except (*UNREADABLE, BadInput):
        raise Damaged(f"the operation #{seq} can't be read", _HINT) from None


def stored_value(text: str | None, seq: int) -> Any:
    """Return the value in a history row of an operation.

    Raises:
        Damaged: The row holds no JSON.
    """
    try:
        return None if text is None else msgspec.json.decode(text)
    except UNREADABLE:
        raise Damaged(f"the history row of operation #{seq} can't be read", _HINT) from None
