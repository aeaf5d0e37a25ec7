"""Write files atomically, and expand paths."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .arguments import shortened


def expanded(path: str | Path, name: str = "path") -> Path:
    """Return a path with ``~`` replaced by the home folder. Raises ``ValueError`` for anything that is not a path."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise ValueError(f"{name}: need the name of a file or folder, got {shortened(path)}")
    return Path(path).expanduser()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` to write, and rename it to ``path`` at the end of the block.

    An error or an interrupt in the block leaves ``path`` unchanged. Raises ``OSError`` if nothing can be written.
    """
    if path.exists() and not path.is_file():  # as root, the rename would replace even a device
        raise OSError(f"path: {str(path)!r} is not a file, and cannot be replaced by one")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".vaehelpers-", suffix=".part")
    try:
        os.close(handle)
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
