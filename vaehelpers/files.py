"""Files are written whole or not at all."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .arguments import shortened

_PREFIX, _SUFFIX = ".vaehelpers-", ".part"


def expanded(path: str | Path, name: str = "path") -> Path:
    """Return a path with ``~`` replaced by the home folder, where that is known.

    Raises ``ValueError``, which begins with the ``name`` of the argument, for anything that cannot be a path.
    """
    if not isinstance(path, str | os.PathLike) or "\0" in (text := os.fspath(path)) or not text:
        raise ValueError(f"{name}: need the name of a file or folder, got {shortened(path)}")
    return Path(os.path.expanduser(text))


def writable(path: Path) -> None:
    """Raise ``OSError`` where nothing can be written: better before hours of work than after them."""
    with suppress(LookupError), replacing(path):
        raise LookupError  # so that nothing takes its place


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file beside ``path`` to write, and rename it into place when all went well.

    So neither an interrupt nor a full disk damages what was there. Temporary files that a killed process left are
    removed after an hour. Raises ``OSError`` where nothing can be written.
    """
    if path.exists() and not path.is_file():  # a folder, or a device, which must not become a file
        raise OSError(f"path: {str(path)!r} is not a file, and cannot be replaced by one")
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                left.unlink()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_PREFIX, suffix=_SUFFIX)
    try:
        os.close(handle)
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
