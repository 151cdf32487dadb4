"""The state of the git repository that a run was started in."""

import subprocess
from pathlib import Path

from msgspec import Struct

from regtui.capture.redaction import redacted

PATIENCE = 10.0
"""Seconds that git may take for one answer."""

DIFF_LIMIT = 1 << 20
"""Bytes of a diff that are kept."""


class GitState(Struct, frozen=True):
    """Where the code of a run stood.

    Attributes:
        commit: Digest of the commit; None before the first one.
        branch: Its name; None for a detached head.
        remote: Address of `origin`, or of the only remote, without secrets.
        dirty: Whether files that git follows were changed.
        diff: What was changed, against the commit, without secrets; None where nothing was, or
            where it is too long to be kept.
    """

    commit: str | None = None
    branch: str | None = None
    remote: str | None = None
    dirty: bool = False
    diff: str | None = None


def git_state(folder: Path, *, with_diff: bool = True) -> GitState | None:
    """Return the state of the repository around a folder; None where there is none, or no git.

    Args:
        folder: Where the run was started.
        with_diff: Whether to tell what was changed, too.
    """
    if _git(folder, "rev-parse", "--git-dir") is None:
        return None
    remotes = (_git(folder, "remote") or "").split()
    remote = "origin" if "origin" in remotes else next(iter(remotes), None)
    address = None if remote is None else _git(folder, "remote", "get-url", remote)
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    diff = None
    if changed and with_diff:
        diff = _git(folder, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD")
    return GitState(
        commit=_git(folder, "rev-parse", "--verify", "--quiet", "HEAD"),
        branch=_git(folder, "symbolic-ref", "--short", "--quiet", "HEAD"),
        remote=None if address is None else redacted(address),
        dirty=bool(changed),
        diff=redacted(diff) if diff and len(diff) <= DIFF_LIMIT else None,
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints; None where it fails, or would have to wait for somebody.

    Only what reads is asked, without locks, without programs that the repository names, and without
    the network: the repository may be somebody else's.
    """
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", "--no-optional-locks"]
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, and constants but for the folder
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    return done.stdout.decode(errors="replace").rstrip("\n") or None
