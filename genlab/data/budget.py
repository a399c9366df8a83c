"""Memory that threads share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """Bytes that threads share; one that asks for more than there are works alone."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def held(self, wanted: int) -> Iterator[None]:
        """Hold `wanted` bytes while the block runs, waiting for others to give theirs back."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + wanted <= self.size)
            self._used += wanted
        try:
            yield
        finally:
            with self._changed:
                self._used -= wanted
                self._changed.notify_all()
