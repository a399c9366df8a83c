"""What every game shares: the count of images, repeatable noise, normalised input."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.data.stream import Batch, mix
from genlab.networks import Chosen, Condition
from genlab.pixels import normalise
from genlab.schedules import Schedule, Stage, Stages, Whole, as_schedule

OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
Losses = dict[str, Tensor]


@dataclass
class Engine:
    """What trains a learner: by default this process alone, without optimizers.

    Attributes:
        optimizers: one per player.
        rank, world_size: of this process among all that train together.
        backward: computes the gradients of a loss.
        mean: the mean of a tensor over all ranks.
    """

    optimizers: Sequence[torch.optim.Optimizer] = ()
    rank: int = 0
    world_size: int = 1
    backward: Callable[[Tensor], None] = Tensor.backward
    mean: Callable[[Tensor], Tensor] = field(default=lambda value: value)


class Learner(nn.Module, ABC):
    """A game played one batch at a time, with progress counted in images over all ranks.

    All noise of a batch is drawn from torch's default generator, which is seeded from
    (seed, rank, images seen) as the batch begins: a resumed run draws what an uninterrupted one
    would have drawn. Players step their optimizers themselves. A learner is a plain module:
    `engine` says what trains it, Lightning through `genlab.callbacks.adapter` or anything else.

    Args:
        rate: what every optimizer's learning rate is multiplied by, a number or a schedule.
        stages: the keyword arguments that networks receive, as a function of images seen.
    """

    def __init__(self, rate: float | Schedule = 1.0, stages: Stages | None = None) -> None:
        super().__init__()
        bounds.within(0, bounds.FASTEST, rate=rate)
        if not callable(rate):
            bounds.above(0, rate=rate)
        self.rate = as_schedule(rate)
        self.stages = stages or Whole()
        self.engine = Engine()
        self.images_seen = 0
        self.images_before = 0  # the last batch
        self.noise_seed = 0
        self.roll_backs = 0  # how often the run went back to a checkpoint and tried other noise
        self.memory_format: torch.memory_format = torch.contiguous_format

    @property
    @abstractmethod
    def exported(self) -> nn.Module:
        """The network whose weights a finished run keeps for use."""

    @abstractmethod
    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """One step on images (B, C, H, W) in [-1, 1]; returns scalars to log, detached."""

    @abstractmethod
    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """One optimizer per player, made anew."""

    @property
    def networks(self) -> list[nn.Module]:
        """What can be compiled, each by itself."""
        return list(self.children())

    @property
    def stage(self) -> Stage:
        """What the networks receive now."""
        return self.stages(self.images_seen)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device

    def training_step(self, batch: Batch) -> Losses:
        """Seed the noise, normalise, play, count; returns what to log."""
        seed_noise(mix(self.anew(self.noise_seed), self.engine.rank, self.images_seen))
        losses = self.play(self.prepare(batch.images), batch.labels)
        self.images_before = self.images_seen
        self.images_seen += len(batch.images) * self.engine.world_size
        if self.stages.renews_optimizers(self.images_before, self.images_seen):
            for optimizer in self.engine.optimizers:
                optimizer.state.clear()
        return losses

    def anew(self, seed: int) -> int:
        """The seed as it is, and another one after each roll-back."""
        return mix(seed, self.roll_backs) if self.roll_backs else seed

    def passed(self, every_images: int | None) -> bool:
        """Whether the last batch passed a multiple of `every_images`; never where it is None."""
        if not every_images:
            return False
        return self.images_seen // every_images > self.images_before // every_images

    def prepare(self, images: Tensor) -> Tensor:
        """Images uint8 to what the networks take."""
        return normalise(images).contiguous(memory_format=self.memory_format)

    def descend(self, player: int, loss: Tensor) -> None:
        """One optimizer step of the given player; its gradients stay until the next."""
        optimizer = self.engine.optimizers[player]
        rate = self.rate(self.images_seen) * self.stages.rate(self.images_seen)
        for group in optimizer.param_groups:
            group["lr"] = rate * optimizer.defaults["lr"]
        optimizer.zero_grad(set_to_none=True)
        self.engine.backward(loss)
        optimizer.step()


def seed_noise(seed: int) -> None:
    """Seed torch's default generators, for a fraction of what torch.manual_seed costs."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.default_generators[torch.cuda.current_device()].manual_seed(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def drawn_with_labels(
    draws: Tensor,
    condition: Condition | None,
    generator: torch.Generator,
    labels: Chosen,
) -> Tensor:
    """Draws (B, n) from a prior, with the labels of a conditional model behind them.

    Raises ValueError where a model without a condition is asked for labels.
    """
    if condition is not None:
        return torch.cat([draws, condition.draw(len(draws), generator, labels)], 1)
    if labels:
        raise ValueError(
            f"labels={dict(labels)}: this model is not conditional; leave labels out, or train "
            "model=cgan or model=cvae"
        )
    return draws


def labels_behind(latents: Tensor, condition: Condition | None) -> dict[str, Tensor]:
    """The labels (B,) by name at the end of latents, the other way round of `drawn_with_labels`."""
    return condition.labels_of(latents[:, -condition.width :]) if condition else {}


@torch.no_grad()
def gradient_norm(network: nn.Module) -> Tensor:
    """The L2 norm of the gradients of all its parameters as one vector, a scalar."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    result: Tensor = torch.stack(torch._foreach_norm(gradients)).norm()
    return result


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Gradients pass through the network but none are computed for its parameters."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and back in its mode afterwards."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
