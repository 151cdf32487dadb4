"""The remote as `--json` shows it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regtui.registry.remote import RemoteAnswer


def remote_document(remote: "RemoteAnswer") -> dict[str, Any]:
    """Return a remote with its times as all answers have theirs: ISO 8601 in UTC."""
    from msgspec.structs import asdict

    from regtui.registry.answers import iso

    synced = None if remote.synced is None else iso(remote.synced * 1000)
    return {**asdict(remote), "synced": synced}
