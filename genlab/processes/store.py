"""The store by which processes that were launched together find each other."""

import os
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from genlab.errors import ResourceError, WorkerFailed
from genlab.processes import launch

if TYPE_CHECKING:
    from torch.distributed import Store

LISTENING = "GENLAB_LISTENING"  # holds the descriptor of a socket for the first process
TIMEOUT_SECONDS = 300
_CONNECT_SECONDS = 2
_RETRY_SECONDS = 0.1


def reach_store() -> "Store":
    """torchrun's store, or one that the first process hosts; local if all are on one machine."""
    from torch.distributed import PrefixStore

    if launch.one_machine():
        for name, value in launch.loopback_only().items():
            os.environ.setdefault(name, value)
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    agents = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    own = launch.rank() == 0 and not agents
    return PrefixStore(f"genlab {attempt}", _host_store() if own else _connect_to_store())


def _host_store() -> "Store":
    """The store, hosted by this process."""
    from torch.distributed import TCPStore

    host, port = launch.address()
    descriptor = os.environ.pop(LISTENING, None)
    if descriptor is None and launch.one_machine():
        listening = socket.socket()
        try:
            listening.bind((launch.LOOPBACK, port))
        except OSError as error:
            raise ResourceError(
                f"port {port} of this machine: {error.strerror}; set MASTER_PORT to a free one"
            ) from error
        listening.listen()
        host, descriptor = launch.LOOPBACK, str(listening.detach())
    return TCPStore(
        host,
        port,
        launch.world_size(),
        is_master=True,
        wait_for_workers=False,
        master_listen_fd=None if descriptor is None else int(descriptor),
    )


def _connect_to_store() -> "Store":
    """The store of another process, which may not have started yet."""
    from torch.distributed import DistError, TCPStore

    host, port = launch.address()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        wait = timedelta(seconds=_CONNECT_SECONDS)
        try:
            # TCPStore's own waiting blocks signals; waiting here, a process reacts to them.
            socket.create_connection((host, port), _CONNECT_SECONDS).close()
            store = TCPStore(host, port, launch.world_size(), timeout=wait, wait_for_workers=False)
            store.set_timeout(timedelta(seconds=TIMEOUT_SECONDS))
            return store
        except (OSError, DistError) as error:
            if time.monotonic() > deadline:
                raise WorkerFailed(
                    f"{host}:{port}: the first process does not answer; is it running, and may "
                    "this machine reach it?"
                ) from error
            time.sleep(_RETRY_SECONDS)
