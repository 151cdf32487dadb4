"""The registry: one use case, one method.

Commands, the app and Python scripts call nothing else. `Registry` is the face; each verb stands in
a module of its own.
"""

from regtui.registry.registry import Registry, open_registry

__all__ = ["Registry", "open_registry"]
