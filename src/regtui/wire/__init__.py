"""The wire: what client and server say to each other.

Messages are msgspec JSON. What was encoded once (operations, verdicts, documents) travels as those
very bytes, inside of messages as `msgspec.Raw`.
"""
