"""Capture: what trainers leave in their folders, and what is known of their runs."""
