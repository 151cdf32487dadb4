"""The recorded files, and how tests read bytes."""

from pathlib import Path
from typing import Final

from regtui.formats import detect
from regtui.formats.values import LIMITS, BytesSource, Facts, Limits

RECORDED: Final = Path(__file__).parent / "recorded"


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def facts_of(content: bytes, name: str = "model", limits: Limits = LIMITS) -> Facts:
    return detect.read(BytesSource(content), name, limits)


def facts_of_recorded(name: str) -> Facts:
    return facts_of(recorded(name), name)
