"""The commands: one module each, loaded when it is run."""

import typer


def single() -> typer.Typer:
    """Return the application of a module that holds one command."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def group(help_text: str) -> typer.Typer:
    """Return the application of a module that holds a group of commands."""
    return typer.Typer(
        help=help_text, add_completion=False, rich_markup_mode=None, no_args_is_help=True
    )
