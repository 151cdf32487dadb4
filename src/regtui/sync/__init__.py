"""Sync: the client of a shared server."""
