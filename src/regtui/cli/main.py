"""The entry point: run a command, translate its errors once, end with the documented code.

Errors are one line on standard error that says what happened and what to do; with `--json` they are
one object on standard output instead. Exit codes stand in `regtui.core.errors`.

`regtui` alone, which opens the app, has nothing to parse and does without the parser, whose modules
take as long to load as those of a small app.
"""

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from regtui.cli.output import printable
from regtui.cli.settings import SETTINGS
from regtui.cli.terminal_app import is_terminal, run_app
from regtui.core.errors import RegtuiError

if TYPE_CHECKING:
    from typer.exceptions import TyperException

INTERRUPTED = 130


class Failure(NamedTuple):
    """What is said of an error."""

    exit_code: int
    code: str
    message: str
    hint: str = ""


def main() -> None:
    """Run the command line of this process and exit."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    sys.exit(_flush(run(sys.argv[1:])))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    SETTINGS.reset()
    try:
        code = _start(arguments)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001 -- the one place that translates all of them
        if not _is_parsers(error, "Abort"):
            return _fail(error, arguments)
        code = INTERRUPTED
    if code == INTERRUPTED:  # which is what typer makes of Ctrl-C
        sys.stderr.write("regtui: interrupted; nothing was left half-done\n")
    return code if isinstance(code, int) else 0


def _start(arguments: list[str]) -> Any:
    if not arguments and is_terminal():
        run_app()
        return 0
    from regtui.cli.lazy import root

    return root().main(arguments, prog_name="regtui", standalone_mode=False)


def _is_parsers(error: Exception, kind: str) -> bool:
    """Tell whether an error is one of the parser's; it is loaded where it can be."""
    module = sys.modules.get("typer.exceptions")
    return module is not None and isinstance(error, getattr(module, kind))


def _flush(code: int) -> int:
    """Write out what is buffered; whoever read it may have gone, or its disk may be full."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError) and not code:
            sys.stderr.write(f"regtui: can't write the answer: {error.strerror}\n")
            return 1
    return code


def _fail(error: Exception, arguments: list[str]) -> int:
    if type(error).__name__ == "NoArgsIsHelpError" and _is_parsers(error, "TyperException"):
        sys.stdout.write(cast("TyperException", error).format_message() + "\n")
        return 0
    if SETTINGS.debug:
        import traceback

        traceback.print_exception(error)
    failure = _failure(error)
    wanted = SETTINGS.json or "--json" in arguments
    if not (wanted and _print_document(failure, _position(error))):
        place = "".join(f" at character {at + 1}" for at in _position(error).values())
        hint = f"; {failure.hint}" if failure.hint else ""
        sys.stderr.write(f"regtui: {printable(failure.message + place + hint)}\n")
    return failure.exit_code


def _print_document(failure: Failure, position: dict[str, int]) -> bool:
    """Print an error as JSON; False where the error is that nothing can be printed."""
    import msgspec

    message, hint = printable(failure.message), printable(failure.hint)
    shown = {"code": failure.code, "message": message, "hint": hint, **position}
    try:
        sys.stdout.write(msgspec.json.encode({"error": shown}).decode() + "\n")
    except OSError:
        return False
    return True


def _failure(error: Exception) -> Failure:
    if isinstance(error, RegtuiError):
        return Failure(error.exit_code, error.code, error.message, error.hint)
    if _is_parsers(error, "TyperException"):
        wrong = cast("TyperException", error)
        context = getattr(wrong, "ctx", None)
        command = "regtui" if context is None else context.command_path
        message = wrong.format_message().rstrip(".")
        return Failure(wrong.exit_code, "usage", message, f"see `{command} --help`")
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return Failure(1, "failed", f"the system refused it: {error.strerror or error}{where}")
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    hint = "run it again with --debug and report what it prints"
    return Failure(1, "internal", f"something unforeseen happened ({text})", hint)


def _position(error: Exception) -> dict[str, int]:
    position = getattr(error, "position", None)
    return {} if position is None else {"position": position}
