"""What the methods of every topic stand on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regtui.registry.context import Context


class Verbs:
    """Verbs of one topic, as methods.

    Attributes:
        context: What they work on.
    """

    context: "Context"
