"""Sync: what a replica and its remote tell each other, and what becomes of it here."""
