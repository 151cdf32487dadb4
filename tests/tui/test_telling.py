"""The command that does the same: what one can paste into a shell, no longer than one reads."""

import shlex

from regtui.registry import Registry
from regtui.tui.acts.telling import LINE, command, command_of_each, named


def test_words_are_quoted_as_a_shell_needs_it() -> None:
    line = command("edit", "a/b@1", "--tag", "note=it's $HOME")
    assert shlex.split(line) == ["regtui", "edit", "a/b@1", "--tag", "note=it's $HOME"]


def test_what_is_too_long_or_no_text_for_a_terminal_is_cut_and_replaced() -> None:
    line = command("comment", "a/b@1", "x\n\x1b]52;" * 100_000)
    assert len(line) <= LINE
    assert "\x1b" not in line
    assert "\n" not in line
    assert len(command(*(["--tag", "name=value"] * 100))) == LINE


def test_several_versions_are_gone_through(sample: Registry) -> None:
    versions = [sample.version(f"nlp/sentiment@{number}") for number in (1, 2, 3, 4)]
    assert named(versions) == "4 versions"
    assert command_of_each(versions, "edit", "$v", "--tag", "a=b c") == (
        "for v in nlp/sentiment@1 nlp/sentiment@2 nlp/sentiment@3 …; "
        "do regtui edit $v --tag 'a=b c'; done"
    )
    assert command_of_each(versions[:1], "verify", "$v") == "regtui verify nlp/sentiment@1"
