"""The shared server: it arrives with sync."""
