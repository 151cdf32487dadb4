"""Secrets don't get into the registry; what is none stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.redaction import HIDDEN, redacted, redacted_command

SECRET = "S3cr3tValue0123456789abcdef"

TOLD = [
    ["--api-key", SECRET],
    ["--hub_token", SECRET],
    ["-password", SECRET],
    [f"--token={SECRET}"],
    [f"model.auth.token={SECRET}"],
    [f"WANDB_API_KEY={SECRET}", "python", "train.py"],
    [f"postgresql://ann:{SECRET}@db:5432/x"],
    [f"https://{SECRET}@github.com/team/repo"],
    [f"s3://bucket/x?X-Amz-Signature={SECRET}&part=1"],
    [f"https://blob/x?sv=1&sig={SECRET}"],
    [f"--header=Authorization: Bearer {SECRET}"],
    [f'{{"password": "{SECRET}", "lr": 1}}'],
    [f"db_passwd='{SECRET}'"],
    ["hf_abcdefghijklmnopqrstuvwxyz"],
    ["ghp_0123456789abcdefghijABCDEFGHIJ"],
    ["AKIAIOSFODNN7EXAMPLE"],
    ["sk-proj-abcdefghijklmnopqrstuvwxyz"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"],
]
PLAIN = [
    "train.py", "--lr=0.1", "--tokenizer", "bert-base", "--max-tokens=512", "--num_tokens", "7",
    "/data/secrets-dataset/train.csv", "s3://bucket/key/part-1", "https://host:8080/path",
    "git@github.com:team/repo.git", "--config=conf/author.yaml", "3f9c01aa52" * 4, "--pass-through",
    "compass=north", "--signal=TERM", "key=value", "--keys", "a", "autho=1",
    "--pad-token", "<pad>", "eos_token=</s>", "--token-file", "/run/token",
]  # fmt: skip


@pytest.mark.parametrize("arguments", TOLD, ids=lambda one: one[0][:24])
def test_a_secret_is_hidden(arguments: list[str]) -> None:
    shown = " ".join(redacted_command(arguments))

    assert HIDDEN in shown
    assert SECRET not in shown
    assert not any(one in shown for one in arguments if len(arguments) == 1)


def test_what_is_no_secret_stays() -> None:
    assert redacted_command(PLAIN) == PLAIN


def test_what_stands_around_a_secret_stays() -> None:
    assert redacted(f"a=1 token={SECRET} b=2") == f"a=1 token={HIDDEN} b=2"
    assert redacted(f"https://u:{SECRET}@host/x?a=1") == f"https://u:{HIDDEN}@host/x?a=1"


def test_an_option_without_a_value_hides_no_other_option() -> None:
    assert redacted_command(["--auth", "--lr", "1"]) == ["--auth", "--lr", "1"]


@given(st.text())
def test_any_text_can_be_looked_through_again(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize("piece", ["a-", "eyJ"])
def test_a_long_text_is_looked_through_once_and_not_from_each_of_its_places(piece: str) -> None:
    """It takes minutes where the time grows with the square of the length."""
    assert redacted(piece * (1 << 17)).startswith(piece[0])
