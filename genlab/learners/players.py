"""Who learns in a game: a network, its optimizer, and the average of its weights."""

from abc import ABC
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.learners.learner import OptimizerFactory
from genlab.networks import Average, Critic, Cycle, Generator
from genlab.objectives.path_length import PathLength
from genlab.remedies import Remedies


class Player(nn.Module, ABC):
    """A network that learns by an optimizer of its own.

    Args:
        network: what learns.
        optimizer: makes an optimizer from parameters.
    """

    def __init__(self, network: nn.Module, optimizer: OptimizerFactory) -> None:
        super().__init__()
        self.network = network
        self.optimizer = optimizer

    @property
    def networks(self) -> list[nn.Module]:
        """What can be compiled, each by itself."""
        return [self.network]

    def new_optimizer(self, further_steps: float = 0.0) -> torch.optim.Optimizer:
        """An optimizer that makes `further_steps` lazy steps beside each of its own."""
        optimizer = self.optimizer(self.network.parameters())
        scale_for_lazy_regularisation(optimizer, further_steps)
        return optimizer


class CriticPlayer(Player):
    """A critic, or discriminator: it learns to tell real images from generated ones.

    Args:
        network: makes the critic, where it is left open from `channels`.
        optimizer: makes an optimizer from parameters.
        auxiliary: weight of the cross-entropy of the labels that it classifies (Odena et al. 2017,
            https://arxiv.org/abs/1610.09585).
        channels: of what it sees.
    """

    network: Critic

    def __init__(
        self,
        network: Callable[..., Critic],
        optimizer: OptimizerFactory,
        auxiliary: float = 1.0,
        channels: int | None = None,
    ) -> None:
        bounds.at_least(0, auxiliary=auxiliary)
        super().__init__(network(**({} if channels is None else {"channels": channels})), optimizer)
        self.auxiliary = auxiliary
        self.remedies = Remedies(None)

    def new_optimizer(self, further_steps: float = 0.0) -> torch.optim.Optimizer:
        """An optimizer that makes the steps of lazy remedies beside its own."""
        return super().new_optimizer(further_steps + self.remedies.further_steps)


class TranslationCriticPlayer(CriticPlayer):
    """A critic of translated images.

    Args:
        sees_given: it sees what was given too, behind the image; not of given images that are
            smaller.
        channels: of an image.
        given: channels of what is given.
        network, optimizer: see `CriticPlayer`.
    """

    def __init__(
        self,
        network: Callable[..., Critic],
        optimizer: OptimizerFactory,
        channels: int,
        given: int,
        sees_given: bool = False,
    ) -> None:
        seen = channels + given if sees_given else channels
        super().__init__(network, optimizer, channels=seen)
        self.sees_given = sees_given

    def view(self, images: Tensor, given: Tensor) -> Tensor:
        """Images (B, C, H, W), with what was given (B, given, H, W) where it sees that too."""
        return torch.cat([images, given.to(images.dtype)], 1) if self.sees_given else images


N = TypeVar("N", bound=nn.Module)


class AveragedPlayer(Player, Generic[N]):
    """A network that makes images, and the average of its weights, which is what a run keeps.

    Args:
        ema_half_life_images: half-life of the averaged network; 0 for none.
        network, optimizer: see `Player`.
    """

    network: N

    def __init__(
        self, network: N, optimizer: OptimizerFactory, ema_half_life_images: float
    ) -> None:
        super().__init__(network, optimizer)
        bounds.at_least(0, ema_half_life_images=ema_half_life_images)
        self.average = Average(network, ema_half_life_images)

    @property
    def networks(self) -> list[nn.Module]:
        """The network and its average."""
        return [self.network, self.average]

    def update_average(self, images_seen: int, batch_images: int) -> None:
        """Move the average towards the network, after a step of so many images."""
        self.average.update(self.network, images_seen, batch_images)


class GeneratorPlayer(AveragedPlayer[Generator]):
    """A generator: latents to images (B, C, H, W) in [-1, 1].

    Args:
        batches: it learns from so many batches of generated images at once.
        path_length: regularisation of a generator with styles; None for none. With `every` above 1
            it is a step of its own, as lazy penalties of a critic are.
        network, optimizer, ema_half_life_images: see `AveragedPlayer`.
    """

    def __init__(
        self,
        network: Generator,
        optimizer: OptimizerFactory,
        ema_half_life_images: float,
        batches: int = 1,
        path_length: PathLength | None = None,
    ) -> None:
        super().__init__(network, optimizer, ema_half_life_images)
        bounds.whole(1, bounds.RAREST, batches=batches)
        if path_length is not None and network.styled is None:
            raise ValueError("path_length needs a generator with styles: set path_length=null")
        self.batches = batches
        self.path_length = path_length

    def new_optimizer(self, further_steps: float = 0.0) -> torch.optim.Optimizer:
        """An optimizer that makes the steps of the path length beside its own."""
        path = self.path_length
        lazy = 1 / path.every if path is not None and path.weight > 0 else 0.0
        return super().new_optimizer(further_steps + lazy)


class TranslatorPlayer(AveragedPlayer[nn.Module]):
    """A network that makes images of images: one from `inputs`, `channels` and `scale`.

    Args:
        network: makes the translator from `inputs`, `channels` and `scale`.
        inputs: channels of what is given.
        channels: of an image.
        scale: how many times as large an image is as what is given.
        optimizer, ema_half_life_images: see `AveragedPlayer`.
    """

    def __init__(
        self,
        network: Callable[..., nn.Module],
        optimizer: OptimizerFactory,
        ema_half_life_images: float,
        inputs: int,
        channels: int,
        scale: int,
    ) -> None:
        made = network(inputs=inputs, channels=channels, scale=scale)
        super().__init__(made, optimizer, ema_half_life_images)


class CyclePlayer(AveragedPlayer[Cycle]):
    """Two translators, there and back, that learn as one.

    Args:
        network: both networks.
        optimizer, ema_half_life_images: see `AveragedPlayer`.
    """

    def __init__(
        self, network: Cycle, optimizer: OptimizerFactory, ema_half_life_images: float
    ) -> None:
        super().__init__(network, optimizer, ema_half_life_images)


def scale_for_lazy_regularisation(optimizer: torch.optim.Optimizer, further: float) -> None:
    """Slow an optimizer down that makes `further` steps beside each of its own.

    With c = 1 / (1 + further) its rate becomes c times, and its betas to the power of c, so that
    as many images have the effect that they would have had without the further steps (Karras et
    al. 2020, appendix B, https://arxiv.org/abs/1912.04958).
    """
    share = 1 / (1 + further)
    for settings in (optimizer.defaults, *optimizer.param_groups):
        settings["lr"] *= share
        if "betas" in settings:
            settings["betas"] = tuple(beta**share for beta in settings["betas"])
