"""Any exception as one line and an exit code."""

import errno

import pytest
import torch

from genlab.training.failures import explained


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("std::bad_alloc"),
        RuntimeError("could not create a primitive"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: not enough"),
        RuntimeError("can't start new thread"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_every_way_to_lack_memory_says_what_helps(error: Exception) -> None:
    message, code = explained(error, ["train"])
    assert code == 5
    assert message.startswith("not enough memory: reduce count=")
    assert len(message) < 300


def test_memory_that_cannot_be_had() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert explained(caught.value, ["sample"])[1] == 5


def test_a_full_disk_is_another_matter() -> None:
    message, code = explained(OSError(errno.ENOSPC, "No space left", "/place/file"), ["train"])
    assert code == 5
    assert message.startswith("/place/file: No space left; choose another place")


def test_a_name_that_is_too_long_is_the_users_setting() -> None:
    message, code = explained(OSError(errno.ENAMETOOLONG, "File name too long", "x" * 10_000), [])
    assert code == 2
    assert message.endswith("too long for a file: 10000 characters; shorten it")
    assert len(message) < 300


def test_a_recursion_is_the_pages_fault_only_where_they_are_read() -> None:
    def deeper(node: list) -> None:
        deeper([node])

    with pytest.raises(RecursionError) as caught:
        deeper([])
    message, code = explained(caught.value, ["train"])
    assert code == 1
    assert "config pages" not in message
