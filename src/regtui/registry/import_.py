"""Import: what a bundle holds becomes part of this registry.

The first entry says what it is. It is read once, from a file or a pipe, and verified to its end
before anything of it has a name in the store or a row in the database; `import_version` and
`import_registry` say what happens then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from regtui.artifacts.bundle_file import BundleReader
from regtui.artifacts.copying import Progress, silent
from regtui.core.bundle import VersionBundle, decode_description
from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.core.identity import name_key
from regtui.registry.answers_bundle import ImportedRegistry, ImportedVersion
from regtui.registry.context import Context


def import_bundle(
    context: Context,
    source: str | Path | BinaryIO,
    *,
    model: str | None = None,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> ImportedVersion | ImportedRegistry:
    """Take in a bundle of a version or of a registry.

    Args:
        context: The registry.
        source: The bundle, or an open stream.
        model: Name of the model to put a version in; None for the one that it comes from.
        dry_run: Whether to tell only.
        on_progress: Is told how many more bytes are read.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no bundle, or does not belong here.
        Damaged: It is not what it was.
        RegtuiError: It can't be read, or the store's disk is full.
    """
    if model is not None:
        name_key(model)
    with _opened(Path(source) if isinstance(source, str) else source) as (stream, shown):
        reader = BundleReader(stream, shown, on_progress or silent)
        bundle = decode_description(reader.description(), shown)
        context.replica.make()
        if isinstance(bundle, VersionBundle):
            from regtui.registry.import_version import import_version

            return import_version(context, reader, bundle, model=model, dry_run=dry_run)
        if model is not None:
            raise BadInput(
                f"{shown} holds a whole registry, whose models have names",
                "leave --model out, or export one version",
            )
        from regtui.registry.import_registry import import_registry

        return import_registry(context, reader, bundle, dry_run=dry_run)


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    if not isinstance(source, Path):
        yield source, "standard input"
        return
    try:
        stream = source.expanduser().open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no file {source}") from None
    except IsADirectoryError:
        raise BadInput(f"{source} is a folder", "name the file of a bundle") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RegtuiError(f"can't read {source}: {reason}") from error
    with stream:
        yield stream, str(source)
