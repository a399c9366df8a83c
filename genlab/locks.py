"""Lock files between processes, which the kernel gives back however their holder ends."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class LockFile:
    """A file that one process holds at a time; it is gone while nobody holds it.

    Where the file system knows no locks everybody holds it: what it guards has to bear that, as
    files do that are built aside and renamed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, wait: bool = True) -> bool:
        """Hold the file; False where another process does and `wait` is false.

        OSError where it cannot be written.
        """
        while True:
            descriptor = os.open(self.path, _FLAGS, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    os.close(descriptor)
                    raise
            except BaseException:  # a signal while it waited
                os.close(descriptor)
                raise
            if self._names(descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)  # its holder has removed it: the next one is another file

    def release(self) -> None:
        """Give it back, if it is held."""
        if self._descriptor is not None:
            with suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = None

    def _names(self, descriptor: int) -> bool:
        """Whether the path still names the open file."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat(follow_symlinks=False))
        except FileNotFoundError:
            return False


@contextmanager
def exclusive(path: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock file at `path` while the block runs; call `waiting` once where that has to
    wait for another process. OSError where the file cannot be written.
    """
    lock = LockFile(path)
    if not lock.take(wait=False):
        waiting()
        lock.take()
    try:
        yield
    finally:
        lock.release()
