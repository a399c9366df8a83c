"""Lock files between processes, which the kernel gives back however their holder ends."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genlab.io.files import NO_LINK

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
_FLAGS = os.O_RDWR | os.O_CREAT | NO_LINK


class LockFile:
    """A file that one process holds at a time.

    Unless it is `needed`, everybody holds it where the file system knows no locks: what it guards
    has to bear that, as files do that are built aside and renamed.
    """

    def __init__(self, path: Path, needed: bool = True) -> None:
        self.path = path
        self.needed = needed
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int | None:
        """Of the file, for children that are to hold it, too; None where it is not held."""
        return self._descriptor

    def take(self, wait: bool = True) -> bool:
        """Hold the file; False where another process does and `wait` is false.

        OSError where it cannot be written or locked.
        """
        while True:
            descriptor = os.open(self.path, _FLAGS, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError as error:
                if self.needed or error.errno not in _NO_LOCKS:
                    os.close(descriptor)
                    raise
            except BaseException:  # a signal while it waited
                os.close(descriptor)
                raise
            if self._names(descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)  # its holder has removed it: the next one is another file

    def release(self, keep: bool = False) -> None:
        """Give it back, if it is held; remove the file unless it is to be kept."""
        if self._descriptor is not None:
            if not keep:
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
    """Hold the lock file at `path` while the block runs, if the file system knows locks.

    Calls `waiting` before it waits for another process. OSError where the file cannot be written.
    """
    lock = LockFile(path, needed=False)
    if not lock.take(wait=False):
        waiting()
        lock.take()
    try:
        yield
    finally:
        lock.release()
