"""The command line of the server: one module a group of commands."""

from sync_server.commands.root import app

__all__ = ["app"]
