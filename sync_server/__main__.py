"""`python -m sync_server` and the `regtui-server` command.

Errors become one line on standard error, or one object on standard output with `--json`; the exit
codes are those of `regtui.core.errors`, as everywhere in regtui.
"""

import os
import sys
import traceback
from typing import Any

import msgspec

from regtui.core.errors import RegtuiError
from sync_server.full_disk import is_full
from sync_server.output import printable

INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    words = [word for word in arguments if word != "--debug"]
    try:
        from sync_server.commands import app

        code = app(words, prog_name="regtui-server", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        hint = "install it as `regtui[server]`"
        sys.stderr.write(f"regtui-server: {error.name} is not installed; {hint}\n")
        return 1
    except Exception as error:  # noqa: BLE001 -- the one place that translates all of them
        return _fail(error, arguments)
    return code if isinstance(code, int) else 0


def _fail(error: Exception, arguments: list[str]) -> int:
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{error.format_message()}\n")  # type: ignore[attr-defined]
        return 0
    if "--debug" in arguments:
        traceback.print_exception(error)
    exit_code, code, message, hint = _told(error)
    if "--json" in arguments:
        shown = {"error": {"code": code, "message": message, "hint": hint}}
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
    else:
        said = f"{message}; {hint}" if hint else message
        sys.stderr.write(f"regtui-server: {printable(said)}\n")
    return exit_code


def _told(error: Any) -> tuple[int, str, str, str]:
    """Return the exit code, the code, the message and the hint of an error."""
    if isinstance(error, RegtuiError):
        return error.exit_code, error.code, error.message, error.hint
    if hasattr(error, "format_message"):  # one of the parser's
        context = getattr(error, "ctx", None)
        command = "regtui-server" if context is None else context.command_path
        hint = f"see `{command} --help`"
        return error.exit_code, "usage", error.format_message().rstrip("."), hint
    if is_full(error):
        return 1, "no_space", "the disk is full", "make room, and run it again"
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return 1, "failed", f"the system refused it: {error.strerror or error}{where}", ""
    if type(error).__module__.startswith("sqlalchemy") and hasattr(error, "orig"):
        text = str(error.orig).strip().splitlines()[0]
        return 7, "unreachable", f"the database refuses: {text}", "check --database"
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    hint = "run it again with --debug and report what it prints"
    return 1, "internal", f"something unforeseen happened ({text})", hint


if __name__ == "__main__":
    main()
