"""Recognise: which of the files that are there make a version, by their names alone.

Folders are looked at from the root downwards, then the files that no folder has claimed. Each goes
to the first recogniser that matches it and finds all that it requires; where none does, to the
first one that matches and sees a sign of its trainer, and then the unit *lacks* something: its
trainer is still at work, or was killed. What is claimed is nobody else's, so a half-written
checkpoint never turns into a few versions of its files.

Several names of one file (hard links, symbolic links) are one unit; the name that tells most is its
path, the others are its labels.

Nothing is read here: a listing goes in, units come out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from posixpath import basename, dirname, splitext

from msgspec import Struct, structs

from regtui.capture.listing import Listed, Listing
from regtui.capture.recogniser import Patterns, Recogniser, matches

_GENERAL_NAMES = re.compile(
    r"(?:^|[^a-z])(?:last|latest|best|final|current)(?:[^a-z]|$)", re.IGNORECASE
)
_WILD = re.compile(r"[*?\[/]")
"""What a pattern has that is more than a name."""

_SHARD = re.compile(r"(?P<start>.+)-(?P<at>\d{5})-of-(?P<count>\d{5})(?P<end>\..+)")


class Unit(Struct, frozen=True, kw_only=True):
    """What makes one version, or will.

    Attributes:
        recogniser: Who knows it.
        path: The folder or file, relative to the watched root; the root is "".
        files: What makes the version, relative to the root, in order.
        run: The folder of the run.
        step: What the path says of the step.
        labels: Other names of the same content, relative to the root.
        lacks: What is not there yet, one sentence each.
    """

    recogniser: Recogniser
    path: str
    files: tuple[str, ...]
    run: str
    step: int | None = None
    labels: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder rather than a file with its companions."""
        return self.recogniser.unit == "folder"

    def inner(self, file: str) -> str:
        """Return the path of a file within the version; empty for a file that is alone."""
        if self.is_folder:
            return file[len(self.path) + 1 :] if self.path else file
        if len(self.files) == 1:
            return ""
        folder = dirname(self.path)
        return file[len(folder) + 1 :] if folder else file


def recognise(listing: Listing, recognisers: Sequence[Recogniser]) -> list[Unit]:
    """Return the units of a listing, by path; never two that share a file.

    Args:
        listing: What is there.
        recognisers: In the order in which they are asked.
    """
    tree = _Tree(listing)
    folders = [one for one in recognisers if one.unit == "folder"]
    units = list(_folder_units(tree, folders))
    units += _file_units(tree, [one for one in recognisers if one.unit == "file"])
    units = [one for one in units if one.recogniser.version]
    return sorted(_labelled(units, listing), key=lambda unit: unit.path)


def considered(
    listing: Listing, path: str, recognisers: Sequence[Recogniser]
) -> list[tuple[str, str]]:
    """Return why each recogniser that matches a path takes it or does not: name and sentence."""
    tree = _Tree(listing)
    is_file = path in listing.files
    told = []
    for one in recognisers:
        if (one.unit == "file") != is_file or not matches(path, one.match):
            continue
        if matches(path, one.unless):
            told.append((one.name, "it has a name that this trainer gives to other things"))
        elif is_file:
            told.append((one.name, "its name matches"))
        else:
            told += [(one.name, reason) for reason in _reasons(tree, path, one)]
    return told


def _reasons(tree: "_Tree", path: str, one: Recogniser) -> list[str]:
    files = tree.within(path, shallow=one.shallow)
    names = _relative(path, files)
    lacks = lacking(one, names)
    if one.match == ("*",) and not any(matches(name, one.signs) for name in names):
        return [] if lacks or not one.requires else ["all that it requires is there"]
    if not lacks:
        return ["all that it requires is there"]
    return [f"it lacks {lack}" for lack in lacks]


class _Tree:
    """A listing by folders, and what of it is claimed."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.folders = sorted(listing.folders, key=lambda path: (path.count("/"), path))
        self._sorted = sorted(listing.files)
        self._direct: dict[str, list[str]] = {path: [] for path in listing.folders}
        for path in self._sorted:
            self._direct.setdefault(dirname(path), []).append(path)
        self._below: dict[str, list[str]] = {}
        for path in self.folders:
            if path:
                self._below.setdefault(dirname(path), []).append(path)
        self.claimed: set[str] = set()

    def direct(self, folder: str) -> list[str]:
        return self._direct.get(folder, [])

    def within(self, folder: str, *, shallow: bool) -> list[str]:
        """Return the files of a folder that nobody has claimed."""
        files = [file for file in self.direct(folder) if file not in self.claimed]
        if not shallow:
            for below in self._below.get(folder, ()):
                files += self.within(below, shallow=False)
        return files


def _folder_units(tree: _Tree, recognisers: Sequence[Recogniser]) -> Iterator[Unit]:
    done: set[str] = set()
    for folder in tree.folders:
        if dirname(folder) in done and folder:
            done.add(folder)  # all that is in it belongs to the unit above
            continue
        unit = _folder_unit(tree, folder, recognisers)
        if unit is None:
            continue
        tree.claimed.update(tree.within(folder, shallow=unit.recogniser.shallow))
        if not unit.recogniser.shallow:
            done.add(folder)
        yield unit


def _folder_unit(tree: _Tree, folder: str, recognisers: Sequence[Recogniser]) -> Unit | None:
    begun: Unit | None = None
    direct = tree.direct(folder)
    for one in recognisers:
        if not one.matches(folder) or not _may_be(one, direct, folder, tree):
            continue
        files = tree.within(folder, shallow=one.shallow)
        names = _relative(folder, files)
        lacks = lacking(one, names)
        is_begun = any(matches(name, one.signs) for name in names)
        if lacks and not (is_begun and begun is None):
            continue
        kept = tuple(
            sorted(f for f, name in zip(files, names, strict=True) if not matches(name, one.leave))
        )
        run = folder if one.own_run else _run_of(folder, one)
        unit = Unit(
            recogniser=one,
            path=folder,
            files=kept,
            run=run,
            step=one.step_of(folder),
            lacks=tuple(lacks),
        )
        if not lacks:
            return unit
        begun = unit
    return begun


def _may_be(one: Recogniser, direct: list[str], folder: str, tree: _Tree) -> bool:
    """Tell quickly whether a recogniser that takes any folder has a reason to look at this one."""
    if one.match != ("*",):
        return True
    wanted = (*one.signs, *(name for group in one.requires for name in group))
    return any(matches(path, wanted) for path in direct) or (
        not one.shallow and not direct and _has_sign_below(one, folder, tree)
    )


def _has_sign_below(one: Recogniser, folder: str, tree: _Tree) -> bool:
    """Whether a folder without files of its own is still one: signs that name a path say so."""
    deep = tuple(name for name in one.signs if "/" in name)
    return bool(deep) and any(matches(path, deep) for path in tree.within(folder, shallow=False))


def _relative(folder: str, files: Iterable[str]) -> list[str]:
    return [file[len(folder) + 1 :] if folder else file for file in files]


def lacking(one: Recogniser, names: Sequence[str]) -> list[str]:
    """Return what a folder with these files lacks, by the patterns of its recogniser.

    Args:
        one: Who knows the folder.
        names: Paths of its files, relative to it.
    """
    lacks = [
        " or ".join(group)
        for group in one.requires
        if not any(matches(name, group) for name in names)
    ]
    for group in one.together:
        there = [any(matches(name, (pattern,)) for name in names) for pattern in group]
        if any(there) and not all(there):
            lacks += [name for name, has in zip(group, there, strict=True) if not has]
    return lacks + missing_shards(names)


def missing_shards(names: Iterable[str]) -> list[str]:
    """Return the parts that are not there of what is cut into `…-00001-of-00003…`.

    >>> missing_shards(["m-00001-of-00002.safetensors"])
    ['m-00002-of-00002.safetensors']
    """
    found: dict[tuple[str, int, str], set[int]] = {}
    for name in names:
        shard = _SHARD.fullmatch(name)
        if shard is not None:
            key = shard["start"], int(shard["count"]), shard["end"]
            found.setdefault(key, set()).add(int(shard["at"]))
    return [
        f"{start}-{at:05}-of-{count:05}{end}"
        for (start, count, end), there in found.items()
        for at in range(1, min(count, 10_000) + 1)
        if at not in there
    ]


def _run_of(path: str, one: Recogniser) -> str:
    """Return the folder of the run that a folder or file lies in."""
    folder = dirname(path)
    while folder and basename(folder) in one.inside:
        folder = dirname(folder)
    return folder


def _file_units(tree: _Tree, recognisers: Sequence[Recogniser]) -> Iterator[Unit]:
    chosen: dict[str, Recogniser | None] = {}
    has_paths = any("/" in pattern for one in recognisers for pattern in (*one.match, *one.unless))
    files = [file for file in sorted(tree.listing.files) if file not in tree.claimed]
    links = tree.listing.files
    for file in files:
        target = links[file].link
        if file in tree.claimed or (target in links and target != file):
            continue  # a link to a file that is listed is a second name of it
        name = file.rsplit("/", 2)[-2:] if has_paths else [basename(file)]
        key = "/".join(name)
        if key not in chosen:
            chosen[key] = next((one for one in recognisers if one.matches(key)), None)
        one = chosen[key]
        if one is not None:
            unit = _file_unit(tree, file, one)
            tree.claimed.update(unit.files)
            yield unit


def _file_unit(tree: _Tree, file: str, one: Recogniser) -> Unit:
    folder, name = dirname(file), basename(file)
    shard = _SHARD.fullmatch(name)
    if shard is not None:
        near = [path for path in tree.direct(folder) if path != file and path not in tree.claimed]
        parts = re.compile(
            re.escape(shard["start"]) + rf"-\d{{5}}-of-{shard['count']}" + re.escape(shard["end"])
        )
        others = [path for path in near if parts.fullmatch(basename(path))]
        lacks = tuple(missing_shards(basename(path) for path in (file, *others)))
    else:
        others, lacks = [], ()
    if one.companions:
        others += _companions(tree, file, one)
    return Unit(
        recogniser=one,
        path=file,
        files=tuple(sorted({file, *others})),
        run=_run_of(file, one),
        step=one.step_of(file),
        lacks=lacks,
    )


def _companions(tree: _Tree, file: str, one: Recogniser) -> list[str]:
    """Return the files beside a file that belong to it; a folder of thousands is not searched.

    What a pattern without wildcards names is looked up.
    """
    folder, name = dirname(file), basename(file)
    start = f"{folder}/" if folder else ""
    open_ended = tuple(pattern for pattern in one.companions if _WILD.search(pattern))
    stem = splitext(name)[0]
    found = {
        start + pattern.replace("{name}", name).replace("{stem}", stem)
        for pattern in one.companions
        if pattern not in open_ended
    }
    if open_ended:
        named = _named(open_ended, name)
        found |= {path for path in tree.direct(folder) if matches(basename(path), named)}
    listed = tree.listing.files
    return sorted(path for path in found - tree.claimed - {file} if path in listed)


def _named(patterns: Patterns, name: str) -> Patterns:
    """Return the patterns of companions for the name of a file, whatever that holds."""
    escaped = re.sub(r"([*?\[])", r"[\1]", name)
    stem = re.sub(r"([*?\[])", r"[\1]", splitext(name)[0])
    return tuple(one.replace("{name}", escaped).replace("{stem}", stem) for one in patterns)


def _labelled(units: list[Unit], listing: Listing) -> Iterator[Unit]:
    """Join the units that are names of one file, and give links as labels to what they lead to."""
    by_target: dict[str, list[str]] = {}
    for path, listed in listing.files.items():
        if listed.link is not None:
            by_target.setdefault(listed.link, []).append(path)
    for path, target in listing.links.items():
        by_target.setdefault(target, []).append(path)
    groups: dict[object, list[Unit]] = {}
    for unit in units:
        groups.setdefault(_content_key(unit, listing.files), []).append(unit)
    for group in groups.values():
        main = min(group, key=_telling)
        labels = [one.path for one in group if one is not main]
        labels += [link for one in group for link in by_target.get(one.path, ())]
        yield structs.replace(main, labels=tuple(sorted(set(labels)))) if labels else main


def _content_key(unit: Unit, files: dict[str, Listed]) -> object:
    if unit.is_folder or len(unit.files) > 1 or files[unit.path].names == 1:
        return unit.path
    identity = files[unit.path].identity
    return identity.device, identity.inode


def _telling(unit: Unit) -> tuple[object, ...]:
    """Order the names of one file: those with a step first, general ones such as `last` last."""
    name = basename(unit.path)
    general = _GENERAL_NAMES.search(name) is not None
    return general, unit.step is None, -(unit.step or 0), len(name), unit.path
