"""What games against critics share: how a critic learns, and what it is shown."""

from abc import ABC
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.learners.learner import Learner, Losses, frozen, gradient_norm
from genlab.learners.players import CriticPlayer, Player
from genlab.networks.critic import Judgement
from genlab.objectives.adversarial import GameLoss, threshold
from genlab.remedies import CriticStep, GeneratorStep, Remedies, Remedy
from genlab.remedies.remedy import Judged, Labels
from genlab.schedules import Schedule, Stages


class GeneratorLosses(NamedTuple):
    """What a generator's loss consists of, as scalars.

    Attributes:
        game: the game's loss.
        auxiliary: that of labels which the critic classifies.
        remedies: what each remedy adds.
    """

    game: Tensor
    auxiliary: Tensor
    remedies: list[Tensor]


class Game(Learner, ABC):
    """A game whose players learn from critics.

    Args:
        loss: a function of real and fake logits that gives both players' losses.
        rate, stages: see `Learner`.
    """

    def __init__(
        self, loss: GameLoss, rate: float | Schedule = 1.0, stages: Stages | None = None
    ) -> None:
        super().__init__(rate, stages)
        self.loss = loss
        # Shows wrong settings before training starts.
        tried = loss(*(torch.zeros(1, 1, device="cpu") for _ in range(2)))
        self.relative, self.labelled = tried.relative, tried.labelled

    @property
    def networks(self) -> list[nn.Module]:
        """Those of all players, and their averages."""
        return [
            each
            for player in self.modules()
            if isinstance(player, Player)
            for each in player.networks
        ]

    def equip(
        self,
        critic: CriticPlayer,
        remedies: Mapping[str, Remedy | None] | None,
        generator: nn.Module | None,
    ) -> None:
        """Give a critic the remedies of its game; ValueError for one that its loss cannot have.

        `generator` is the network that learns from the critic, None where another critic has it.
        """
        for name, remedy in (remedies or {}).items():
            if remedy is not None and remedy.needs_labels and not self.labelled:
                raise ValueError(
                    f"remedies.{name} has no meaning for the Wasserstein loss, which has no "
                    f"labels: leave out remedy={name}, or set model.remedies.{name}=null"
                )
        critic.remedies = Remedies(remedies)
        critic.remedies.attach(critic.network, generator)

    def critic_step(
        self,
        index: int,
        critic: CriticPlayer,
        images: Tensor,
        fakes: Tensor,
        labels: Labels,
        number: int,
    ) -> tuple[Judgement, Losses]:
        """A step, with this number, of the critic with this index on images and fakes (B, C, H, W).

        Its judgement of the images before the step, and what to log.
        """
        remedies = critic.remedies
        step = self._judged(critic, images, fakes, labels, number)
        real, fake = (each.judgement.logits for each in (step.real, step.fake))
        loss = self.loss(*remedies.exchange(real, fake, self.images_seen)).critic
        for judged in (step.real, step.fake):
            loss = loss + _auxiliary_loss(critic, judged.judgement, judged.labels)
        for added in remedies.critic_losses(step, lazy=False):
            loss = loss + added
        self.descend(index, loss)
        gradient = gradient_norm(critic.network)
        if lazy := remedies.critic_losses(step, lazy=True):
            self.descend(index, torch.stack(lazy).sum())
        remedies.after_critic(step)
        real, fake = real.detach(), fake.detach()
        middle = threshold(real, fake, self.relative)
        return step.real.judgement, {
            "critic_loss": loss.detach(),
            "critic_gradient": gradient,
            "real_accuracy": (real > middle).float().mean(),
            "fake_accuracy": (fake < middle).float().mean(),
            "logit_gap": real.mean() - fake.mean(),
            **remedies.logged(),
        }

    def _judged(
        self, critic: CriticPlayer, images: Tensor, fakes: Tensor, labels: Labels, number: int
    ) -> CriticStep:
        """The critic's judgement of images and fakes (B, C, H, W), as remedies show them to it."""
        seen, stage, remedies = self.images_seen, self.stage, critic.remedies
        reals = remedies.show(images, seen)
        fakes, fake_labels = remedies.replay(fakes, labels)
        fakes = remedies.show(fakes, seen)
        return CriticStep(
            number=number,
            images_seen=seen,
            batch_images=len(images) * self.engine.world_size,
            critic=critic.network,
            stage=stage,
            real=Judged(reals, labels, critic.network.judge(reals, labels, **stage)),
            fake=Judged(fakes, fake_labels, critic.network.judge(fakes, fake_labels, **stage)),
            relative=self.relative,
            mean=self.engine.mean,
        )

    def compared(self, critic: CriticPlayer, images: Tensor, labels: Labels) -> Judgement | None:
        """The critic's judgement of images (B, C, H, W) after its step, where a remedy asks."""
        if not critic.remedies.compare:
            return None
        with torch.no_grad():
            return self._judgement(critic, images, labels)

    def generator_losses(
        self,
        critic: CriticPlayer,
        generator: nn.Module,
        fakes: Tensor,
        labels: Labels,
        reals: Tensor,
        compared: Judgement | None,
        paired: bool = False,
    ) -> GeneratorLosses:
        """What the generator learns from the critic, which stays as it is.

        Args:
            critic: whom its images are to convince.
            generator: the network.
            fakes: its images (N, C, H, W).
            labels: theirs, (N,) by name.
            reals: logits of as many real images, from the critic's step.
            compared: the critic's judgement of real images, see `compared`.
            paired: see `GeneratorStep`.
        """
        with frozen(critic.network):
            fake = self._judgement(critic, fakes, labels)
        step = GeneratorStep(generator, fake, compared, paired)
        return GeneratorLosses(
            game=self.loss(reals.detach(), fake.logits).generator,
            auxiliary=_auxiliary_loss(critic, fake, labels),
            remedies=critic.remedies.generator_losses(step),
        )

    def _judgement(self, critic: CriticPlayer, images: Tensor, labels: Labels) -> Judgement:
        """Of images (B, C, H, W), as remedies show them."""
        shown = critic.remedies.show(images, self.images_seen)
        return critic.network.judge(shown, labels, **self.stage)


def _auxiliary_loss(critic: CriticPlayer, judgement: Judgement, labels: Labels) -> Tensor:
    """The weighted cross-entropy of the labels that a critic classifies, 0 where it does not."""
    losses = [F.cross_entropy(logits, labels[name]) for name, logits in judgement.classes.items()]
    zero = judgement.logits.new_zeros(())
    return critic.auxiliary * torch.stack(losses).sum() if losses else zero
