"""Secrets in command lines, addresses and diffs: they are replaced before anything is kept.

What looks like a secret by the name beside it (`--api-key`, `PASSWORD=`, `?sig=`) or by its own
shape (tokens of GitHub, Hugging Face, AWS, OpenAI and others, private keys, the password in an
address) becomes `HIDDEN`. A secret with an innocent name and no shape of its own is not recognised:
nobody can tell it from a file name. Too much is rather hidden than too little.
"""

import re
from collections.abc import Sequence

HIDDEN = "[hidden]"

_WORDS = "pad|eos|bos|unk|sep|cls|mask|stop|special|image|audio|start|end"
"""What stands before `token` where it is a word of a tokenizer."""

_NAME = (
    rf"(?!(?:[a-z0-9]+[-_.])*(?:{_WORDS})[-_.]?token)"
    r"(?:[a-z0-9]+[-_.])*(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_]?key|access[-_]?key|"
    r"private[-_]?key|secret[-_]?key|account[-_]?key|auth(?:orization)?|bearer|credentials?|cookie|"
    r"dsn|sas|sig|signature)(?:[-_.](?:value|string|secret|key|[0-9]+))*"
)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\bhf_[A-Za-z0-9]{20,}\b|\bsk-[A-Za-z0-9_-]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|\bAIza[A-Za-z0-9_-]{30,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    re.DOTALL,
)
_IN_ADDRESS = re.compile(
    r"(?P<start>\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE
)
_USER_IN_ADDRESS = re.compile(r"(?P<start>\bhttps?://)[^\s/:@]{16,}(?=@)", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?P<start>(?<![a-z0-9_.-])-{{0,2}}[\"']?{_NAME}[\"']?\s*(?:=|:)\s*)"
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|(?:bearer\s+|basic\s+)?[^\s\"'&,;}]+)",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"-{{1,2}}{_NAME}", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text without the secrets that can be recognised in it.

    >>> redacted("postgresql://ann:geheim@db/x?sslmode=require")
    'postgresql://ann:[hidden]@db/x?sslmode=require'
    """
    text = _SHAPES.sub(HIDDEN, text)
    for address in (_IN_ADDRESS, _USER_IN_ADDRESS):
        text = address.sub(lambda found: found["start"] + HIDDEN, text)
    return _NAMED.sub(lambda found: found["start"] + HIDDEN, text)


def redacted_command(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a command without secrets.

    Arguments that follow an option such as `--token` are secrets whatever they look like.

    >>> redacted_command(["train.py", "--hub-token", "abc", "--lr=0.1", "--password=x"])
    ['train.py', '--hub-token', '[hidden]', '--lr=0.1', '--password=[hidden]']
    """
    shown: list[str] = []
    for argument in arguments:
        follows = bool(shown) and _OPTION.fullmatch(shown[-1]) is not None
        is_option = argument.startswith("-")
        shown.append(HIDDEN if follows and not is_option else redacted(argument))
    return shown
