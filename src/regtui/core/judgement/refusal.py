"""A refusal ends the judgement of an operation."""


class Refusal(Exception):
    """The operation is rejected.

    Args:
        code: Stable word for programs.
        message: One sentence that says why.
        hint: What to do about it.
        cause: Id of the rejected operation that it depended on.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", *, cause: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
