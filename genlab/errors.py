"""What can go wrong, as exceptions that carry the process's exit code.

Every message is one line that names the value, the place and the mend. The command line prints it
and exits with `exit_code`; a traceback appears only with `--debug` (and always in the log file).
"""


class GenlabError(Exception):
    """Base of all expected failures."""

    exit_code = 1
    reported = False  # whether another process of the run says it


class ConfigError(GenlabError):
    """A setting that cannot be used."""

    exit_code = 2


class DataError(GenlabError):
    """Images that cannot be found, read or used."""

    exit_code = 3


class DataMissing(DataError):
    """Images that are not where the settings say.

    Attributes:
        what: the setting and what is wrong with the place that it names.
    """

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}: {mend}")
        self.what = what


class CheckpointError(GenlabError):
    """A run, checkpoint or weights file that cannot be used."""

    exit_code = 4


class ResourceError(GenlabError):
    """A device, folder, disk or lock that is not to be had."""

    exit_code = 5


class Locked(ResourceError):
    """A run folder that another process holds."""


class Diverged(GenlabError):
    """Losses or weights that are no longer finite."""

    exit_code = 6


class WorkerFailed(GenlabError):
    """A worker process or rank that died."""

    exit_code = 7


class Stopped(BaseException):
    """A signal asked the run to stop; like KeyboardInterrupt no failure that code recovers from."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
        self.reported = False


class Pruned(GenlabError):
    """A run that a search gave up."""
