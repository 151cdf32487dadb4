"""`regtui-server gc`."""

from regtui.core.wording import count_text
from sync_server.commands.options import AsJson, ConfigFile, Data, DatabaseUrl, configuration_of
from sync_server.data_folder import opened, opened_artifacts
from sync_server.output import emit, say


def gc(
    data: Data,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Delete the files that no version needs any more; a server may run meanwhile."""
    from sync_server.artifact_gc import collect  # with half of what serves requests

    configuration = configuration_of(data, config, database)
    with opened(data, configuration) as server:
        kept = opened_artifacts(server, data, configuration)
        done = collect(server.database, kept.pieces.store, kept.uploads, server.clock)
    if as_json:
        emit(done)
        return
    files, uploads = count_text(done.deleted, "file"), count_text(done.uploads, "begun upload")
    say(f"deleted {files} ({done.size} bytes) and {uploads}")
    if done.condemned:
        say(f"{done.condemned} more go when this runs again in an hour")
