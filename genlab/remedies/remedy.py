"""What can be added to any GAN: hooks into a game between a generator and a critic."""

import math
from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from genlab.networks.critic import Critic, Judgement
from genlab.schedules import Stage

Labels = Mapping[str, Tensor]


class Judged(NamedTuple):
    """Images that a critic is shown, after all changes to them, and what it says of them.

    Attributes:
        images: with shape (B, C, H, W).
        labels: theirs, (B,) by name.
        judgement: the critic's, before its step.
    """

    images: Tensor
    labels: Labels
    judgement: Judgement


@dataclass(frozen=True)
class CriticStep:
    """A critic's step, as remedies see it.

    Attributes:
        number: of the step, from 0.
        images_seen: training images before it, over all processes.
        batch_images: training images in it, over all processes.
        critic: the network; while it learns, its weights are those before the step.
        stage: the keyword arguments that networks receive now.
        real, fake: what it learns from.
        relative: only differences between real and fake logits have a meaning.
        mean: the mean of a tensor over all processes.
    """

    number: int
    images_seen: int
    batch_images: int
    critic: Critic
    stage: Stage
    real: Judged
    fake: Judged
    relative: bool
    mean: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class GeneratorStep:
    """A generator's step, as remedies see it.

    Attributes:
        generator: the network that learns.
        fake: the critic's judgement of its images.
        real: that of the training images, without gradient; None where no remedy `compares`.
        paired: each generated image has a training image that it should equal, at its place.
    """

    generator: nn.Module
    fake: Judgement
    real: Judgement | None
    paired: bool


class Remedy(nn.Module, ABC):
    """One change to how a critic and a generator learn from each other; every hook is optional.

    A game calls the hooks of its remedies in the order of the page. Whatever a remedy keeps in
    buffers is part of checkpoints; random numbers come from torch's default generators, so that
    resumed runs draw the same ones.
    """

    every: int = 1  # compute `critic_loss` as a step of its own in every so many steps
    needs_labels: ClassVar[bool] = False  # has a meaning only for losses whose images have labels
    compares: ClassVar[bool] = False  # asks for the critic's judgement of reals in GeneratorStep

    def attach(self, critic: Critic, generator: nn.Module | None) -> None:
        """See the networks once, before training; None for a generator that another copy sees."""

    def show(self, images: Tensor, images_seen: int) -> Tensor:
        """What the critic sees in place of images (B, C, H, W); gradients pass."""
        return images

    def replay(self, fakes: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
        """The fakes (B, C, H, W) and labels that the critic learns from in place of these."""
        return fakes, labels

    def exchange(self, real: Tensor, fake: Tensor, images_seen: int) -> tuple[Tensor, Tensor]:
        """The logits (B, n) that count as real and as fake in the critic's loss."""
        return real, fake

    def due(self, step: int) -> bool:
        """Whether the critic's step with this number, from 0, has the `critic_loss`."""
        return step % self.every == 0

    @property
    def lazy(self) -> bool:
        """Whether its `critic_loss` is sometimes due, and then as a step of its own."""
        return self.every > 1

    def critic_loss(self, step: CriticStep) -> Tensor | None:
        """What is added to the critic's loss, a scalar; None for nothing."""
        return None

    def after_critic(self, step: CriticStep) -> None:
        """Act on the critic after its step."""

    def generator_loss(self, step: GeneratorStep) -> Tensor | None:
        """What is added to the generator's loss, a scalar; None for nothing."""
        return None

    def after_generator(self, generator: nn.Module) -> None:
        """Act on the generator after its step."""

    def logged(self) -> dict[str, Tensor]:
        """Scalars for the log, after the critic's step."""
        return {}


class Remedies(nn.Module):
    """Remedies by any names, one after the other."""

    def __init__(self, remedies: Mapping[str, Remedy | None] | None) -> None:
        super().__init__()
        # Not as attributes: one may have the name of a hook.
        self._modules.update({name: each for name, each in (remedies or {}).items() if each})

    def __getitem__(self, name: str) -> Remedy:
        """The remedy of this name; KeyError for none."""
        remedy = self._modules[name]
        assert isinstance(remedy, Remedy)
        return remedy

    @property
    def each(self) -> Iterator[Remedy]:
        """All of them, in order."""
        return map(self.__getitem__, self._modules)

    def attach(self, critic: Critic, generator: nn.Module | None) -> None:
        """Show all of them the networks."""
        for remedy in self.each:
            remedy.attach(critic, generator)

    def show(self, images: Tensor, images_seen: int) -> Tensor:
        """What the critic sees in place of images (B, C, H, W), in single precision."""
        images = images.float()
        for remedy in self.each:
            images = remedy.show(images, images_seen)
        return images

    def replay(self, fakes: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
        """The fakes and labels that the critic learns from in place of these."""
        for remedy in self.each:
            fakes, labels = remedy.replay(fakes, labels)
        return fakes, labels

    def exchange(self, real: Tensor, fake: Tensor, images_seen: int) -> tuple[Tensor, Tensor]:
        """The logits (B, n) that count as real and as fake in the critic's loss."""
        for remedy in self.each:
            real, fake = remedy.exchange(real, fake, images_seen)
        return real, fake

    def critic_losses(self, step: CriticStep, lazy: bool) -> list[Tensor]:
        """What the remedies that are due in a step add to its loss, or to that of the lazy one."""
        due = [each for each in self.each if each.due(step.number) and each.lazy == lazy]
        return [loss for each in due if (loss := each.critic_loss(step)) is not None]

    def generator_losses(self, step: GeneratorStep) -> list[Tensor]:
        """What is added to the generator's loss."""
        return [loss for each in self.each if (loss := each.generator_loss(step)) is not None]

    def after_critic(self, step: CriticStep) -> None:
        """Act on the critic after its step."""
        for remedy in self.each:
            remedy.after_critic(step)

    def after_generator(self, generator: nn.Module) -> None:
        """Act on the generator after its step."""
        for remedy in self.each:
            remedy.after_generator(generator)

    def logged(self) -> dict[str, Tensor]:
        """Scalars for the log."""
        return {name: value for each in self.each for name, value in each.logged().items()}

    @property
    def compare(self) -> bool:
        """Whether one of them asks for the critic's judgement of reals in the generator's step."""
        return any(each.compares for each in self.each)

    @property
    def further_steps(self) -> float:
        """How many steps a critic makes beside each of its own, for lazy losses."""
        lazy = [remedy.every for remedy in self.each if remedy.lazy]
        cycle = math.lcm(*lazy)
        return sum(any(step % every == 0 for every in lazy) for step in range(cycle)) / cycle
