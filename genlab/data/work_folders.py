"""Folders of the image cache in which processes work, and what its disk refuses."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genlab.errors import ResourceError


def work_folder(folder: Path) -> Path:
    """A new empty sibling of `folder` whose name says which process works in it."""
    prefix = f".{folder.name}.{socket.gethostname()}.{os.getpid()}."
    return Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))


def remove_leftovers(parent: Path) -> None:
    """Remove the work folders of this machine's dead processes."""
    for folder in parent.glob(f".*.{socket.gethostname()}.*.*"):
        process = folder.name.rsplit(".", 2)[1]
        if process.isdigit() and not _alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def disk(parent: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line with the mend."""
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"cannot write to the image cache {parent}: {error.strerror or error}; "
            "set GENLAB_CACHE to a folder with room that you may write to"
        ) from error
