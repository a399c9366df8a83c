"""What Lightning has to know of processes that were started together and have met already."""

from pytorch_lightning.plugins.environments import ClusterEnvironment

from genlab.processes import launch


class Together(ClusterEnvironment):
    """The processes as `launch` sees them, whoever started them."""

    @property
    def creates_processes_externally(self) -> bool:
        """Lightning starts none."""
        return True

    @property
    def main_address(self) -> str:
        """Where they met."""
        return launch.address().host

    @property
    def main_port(self) -> int:
        """Where they met."""
        return launch.address().port

    @staticmethod
    def detect() -> bool:
        """Whether there are several."""
        return launch.launched()

    def world_size(self) -> int:
        """All of them."""
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
