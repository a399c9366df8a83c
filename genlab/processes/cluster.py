"""Lightning's environment of processes that were launched and have found each other already."""

from pytorch_lightning.plugins.environments import ClusterEnvironment

from genlab.processes import launch


class LaunchedEnvironment(ClusterEnvironment):
    """The processes as `launch` describes them, whichever launcher started them."""

    @property
    def creates_processes_externally(self) -> bool:
        """Lightning starts none."""
        return True

    @property
    def main_address(self) -> str:
        """The host of the meeting address."""
        return launch.address().host

    @property
    def main_port(self) -> int:
        """The port of the meeting address."""
        return launch.address().port

    @staticmethod
    def detect() -> bool:
        """Whether there are several."""
        return launch.launched()

    def world_size(self) -> int:
        """The number of processes."""
        return launch.world_size()

    def set_world_size(self, size: int) -> None:
        """Nothing: it is a fact."""

    def global_rank(self) -> int:
        """This one among all."""
        return launch.rank()

    def set_global_rank(self, rank: int) -> None:
        """Nothing: it is a fact."""

    def local_rank(self) -> int:
        """This one on its machine."""
        return launch.local_rank()

    def node_rank(self) -> int:
        """Its machine."""
        return (launch.rank() - launch.local_rank()) // max(launch.local_size(), 1)
