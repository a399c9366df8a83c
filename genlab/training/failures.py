"""One-line messages and exit codes of exceptions."""

import errno
from pathlib import Path
from traceback import walk_tb

from genlab.errors import ConfigError, GenlabError, ResourceError

_NO_MEMORY = (
    "allocate memory",
    "DefaultCPUAllocator",
    "bad_alloc",
    "could not create a primitive",  # oneDNN's ways to say it
    "could not create a memory object",
    "can't start new thread",
)
_INNERMOST = 100  # innermost of the thousand calls of a recursion


def explained(error: Exception, argv: list[str]) -> tuple[str, int]:
    """The one line and the exit code for an exception of the command line `argv`."""
    if isinstance(error, GenlabError):
        return str(error), error.exit_code
    module = type(error).__module__
    if module.startswith(("hydra", "omegaconf")):
        from genlab.config.hydra_errors import explain

        return explain(error, argv), ConfigError.exit_code
    if isinstance(error, RecursionError) and _in_pages(error):
        return (
            "the config pages refer to themselves: a page of yours may not build on the page of "
            "the same name that it replaces; give it another name",
            ConfigError.exit_code,
        )
    if module.startswith("yaml"):
        return f"a config page cannot be read: {error}", ConfigError.exit_code
    if names_memory(error):
        return (
            "not enough memory: reduce count=, batch_size= or rows= (for a run data.batch_size= or "
            "data.in_memory_gb=0), or stop other programs",
            ResourceError.exit_code,
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = str(error.filename)
        return (
            f"the name {name[:40]}... is too long for a file: {len(name)} characters; shorten it",
            ConfigError.exit_code,
        )
    if isinstance(error, OSError):
        return (
            f"{error.filename or Path.cwd()}: {error.strerror or error}; choose another place "
            "(for a run hydra.run.dir=PATH, for other commands out=PATH)",
            ResourceError.exit_code,
        )
    return f"{type(error).__name__}: {error} (--debug shows where)", GenlabError.exit_code


def _in_pages(error: RecursionError) -> bool:
    """Whether the recursion is in the reader of config pages."""
    frames = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    return any(name.startswith(("hydra.", "omegaconf.")) for name in frames[-_INNERMOST:])


def names_memory(error: Exception) -> bool:
    """Whether the error means that memory is exhausted."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    named = isinstance(error, RuntimeError) and any(word in str(error) for word in _NO_MEMORY)
    return named or isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
