"""The text of a rule, taken apart into what is code and what is not."""

import re

ASIDE = re.compile(
    r"""
    //[^\n]*
    | (?<!\w)[bB]?[rR] (\"{3}|'{3}|"|') (?P<raw>.*?) \1
    | ((?<!\w)[bB])? (\"{3}|'{3}|"|') (?P<text>(?:\\.|[^\\])*?) \4
    """,
    re.DOTALL | re.VERBOSE,
)
"""A comment, or a text: one whose backslashes are nothing else (`r"\\d"`), or one with escapes."""


def code_and_texts(rule: str) -> tuple[str, list[str]]:
    """Return a rule without comments, with `"N"` for its Nth text, and these texts as written."""
    texts: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        if found[0].startswith("//"):
            return " "
        texts.append(found["raw"] or found["text"] or "")
        return f'"{len(texts) - 1}"'

    return ASIDE.sub(put_aside, rule), texts
