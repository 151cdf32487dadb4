"""The entry point: run a command, translate its errors once, end with the documented code.

Errors are one line on standard error that says what happened and what to do; with `--json` they are
one object on standard output instead. Exit codes stand in `regtui.core.errors`.
"""

import os
import sys
from pathlib import Path

from typer.exceptions import Abort, TyperException

from regtui.cli.lazy import root
from regtui.cli.output import printable
from regtui.cli.settings import SETTINGS
from regtui.core.errors import RegtuiError

INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process and exit."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))
    sys.exit(_flush(run(sys.argv[1:])))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    SETTINGS.reset()
    try:
        code = root().main(arguments, prog_name="regtui", standalone_mode=False)
    except RegtuiError as error:
        return _report(error, error.exit_code, error.code, error.message, error.hint, arguments)
    except TyperException as error:
        return _report_usage(error, arguments)
    except (KeyboardInterrupt, Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        return 0
    except UnicodeEncodeError as error:
        hint = "give every name and value as UTF-8"
        return _report(error, 2, "usage", "an argument is not valid UTF-8", hint, arguments)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        message = f"the system refused it: {error.strerror or error}{where}"
        return _report(error, 1, "failed", message, "", arguments)
    except Exception as error:
        if SETTINGS.debug:
            raise
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        hint = "run it again with --debug and report what it prints"
        message = f"something unforeseen happened ({text})"
        return _report(error, 1, "internal", message, hint, arguments)
    if code == INTERRUPTED:  # which is what typer makes of Ctrl-C
        sys.stderr.write("regtui: interrupted; nothing was left half-done\n")
    return code if isinstance(code, int) else 0


def _flush(code: int) -> int:
    """Write out what is buffered; whoever read it may have gone, or the disk may be full."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"regtui: can't write the answer: {error.strerror}\n")
            return 1
    return code


def _report_usage(error: TyperException, arguments: list[str]) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(error.format_message() + "\n")
        return 0
    context = getattr(error, "ctx", None)
    command = "regtui" if context is None else context.command_path
    message = error.format_message().rstrip(".")
    return _report(error, error.exit_code, "usage", message, f"see `{command} --help`", arguments)


def _report(
    error: BaseException, exit_code: int, code: str, message: str, hint: str, arguments: list[str]
) -> int:
    if SETTINGS.debug:
        import traceback

        traceback.print_exception(error)
    if SETTINGS.json or "--json" in arguments:
        import msgspec

        shown = {"code": code, "message": message, "hint": hint, **_position(error)}
        sys.stdout.write(msgspec.json.encode({"error": shown}).decode() + "\n")
    else:
        place = _position(error).get("position")
        spot = "" if place is None else f" (character {place + 1})"
        line = f"regtui: {message}{spot}" + (f"; {hint}" if hint else "")
        sys.stderr.write(printable(line) + "\n")
    return exit_code


def _position(error: BaseException) -> dict[str, int]:
    position = getattr(error, "position", None)
    return {} if position is None else {"position": position}

