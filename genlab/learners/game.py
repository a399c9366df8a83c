"""What games against critics share: how a critic learns, and what it is shown."""

import functools
import math
from abc import ABC
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab import bounds
from genlab.learners.learner import Learner, Losses, gradient_norm
from genlab.networks import Critic, PastWeights, Replay
from genlab.networks.augmentations import AdaptiveAugmentation, Augmentation
from genlab.networks.critic import Judgement
from genlab.objectives.adversarial import GameLoss, certainty, threshold
from genlab.objectives.penalties import Penalty
from genlab.schedules import Schedule, Stages, as_schedule


class Game(Learner, ABC):
    """A game whose players learn from critics.

    All but the loss are remedies that go with any loss and networks.

    Args:
        loss: a function of real and fake logits that gives both players' losses.
        penalties: on a critic's gradients, by any names. One with `every` above 1 is a step of its
            own.
        weight_clip: a critic's weights are kept between -weight_clip and weight_clip (Arjovsky
            et al. 2017, algorithm 1); 0 for no clipping.
        flipped_labels: probability with which a pair of a real and a fake image change labels in
            a critic's step, a number or a schedule. Of losses that have labels.
        instance_noise: deviation of Gaussian noise on all that a critic sees, on the scale of
            [-1, 1], a number or a schedule (Sonderby et al. 2017, https://arxiv.org/abs/1610.04490).
        historical_averaging: weight in both players' losses of the squared distance of their
            weights to the mean of their past ones (Salimans et al. 2016, section 3.3,
            https://arxiv.org/abs/1606.03498); 0 for none.
        augmentation: of all that a critic sees; None for none.
        auxiliary: weight of the cross-entropy of the labels that a critic names.
        rate, stages: see `Learner`.
    """

    def __init__(
        self,
        loss: GameLoss,
        penalties: Mapping[str, Penalty | None] | None,
        weight_clip: float,
        flipped_labels: float | Schedule,
        instance_noise: float | Schedule,
        augmentation: Augmentation | None,
        rate: float | Schedule,
        historical_averaging: float = 0.0,
        auxiliary: float = 0.0,
        stages: Stages | None = None,
    ) -> None:
        super().__init__(rate, stages)
        bounds.within(0, 1, flipped_labels=flipped_labels)
        bounds.at_least(0, weight_clip=weight_clip, instance_noise=instance_noise)
        bounds.at_least(0, historical_averaging=historical_averaging, auxiliary=auxiliary)
        self.loss = loss
        # Shows wrong settings before training starts.
        tried = loss(*(torch.zeros(1, 1, device="cpu") for _ in range(2)))
        self.relative = tried.relative
        if flipped_labels and not tried.labelled:
            raise ValueError(
                "flipped_labels has no meaning for the Wasserstein loss, which has no labels: "
                "leave out remedy=flipped_labels, or set model.flipped_labels=0"
            )
        self.penalties = {k: penalty for k, penalty in (penalties or {}).items() if penalty}
        self.weight_clip = weight_clip
        self.flipped_labels = as_schedule(flipped_labels)
        self.instance_noise = as_schedule(instance_noise)
        self.historical_averaging = historical_averaging
        self.augmentation = augmentation
        self.auxiliary = auxiliary

    def criticise(
        self,
        player: int,
        critic: Critic,
        images: Tensor,
        fakes: Tensor,
        labels: Mapping[str, Tensor],
        step: int,
        replay: Replay | None = None,
        past: PastWeights | None = None,
    ) -> tuple[Judgement, Losses]:
        """A step of the critic, the player of this number, on images and fakes (B, C, H, W).

        Its judgement of the images before the step, and what to log. `replay` holds its earlier
        fakes, `past` its earlier weights.
        """
        reals = self.shown(images)
        fakes, told = replay(fakes, labels) if replay else (fakes, labels)
        fakes = self.shown(fakes)
        stage = self.stage
        real = critic.judge(reals, labels, **stage)
        fake = critic.judge(fakes, told, **stage)
        game = self.loss(*self._flipped(real.logits, fake.logits))
        loss = game.critic + self.naming(real, labels) + self.naming(fake, told)
        due = [penalty for penalty in self.penalties.values() if penalty.due(step)]

        def penalised(penalty: Penalty) -> Tensor:
            of_points = told if penalty.at_fakes else labels
            judged = functools.partial(critic, labels=of_points, **stage)
            return penalty(judged, reals, fakes, critic.pack)

        for penalty in due:
            if penalty.every == 1:
                loss = loss + penalised(penalty)
        if past is not None:
            loss = loss + self.historical_averaging * past(critic)
        self.descend(player, loss)
        gradient = gradient_norm(critic)
        if lazy := [penalty for penalty in due if penalty.every > 1]:
            self.descend(player, torch.stack([penalised(each) for each in lazy]).sum())
        if self.weight_clip:
            with torch.no_grad():
                for parameter in critic.parameters():
                    parameter.clamp_(-self.weight_clip, self.weight_clip)
        if past is not None:
            past.update(critic)
        real_logits, fake_logits = real.logits.detach(), fake.logits.detach()
        if self.augmentation is not None:
            sure = certainty(real_logits, fake_logits, self.relative)
            self.augmentation.observe(self.engine.mean(sure), len(images) * self.engine.world_size)
        middle = threshold(real_logits, fake_logits, self.relative)
        logged = {
            "critic_loss": loss.detach(),
            "critic_gradient": gradient,
            "real_accuracy": (real_logits > middle).float().mean(),
            "fake_accuracy": (fake_logits < middle).float().mean(),
            "logit_gap": real_logits.mean() - fake_logits.mean(),
        }
        if isinstance(self.augmentation, AdaptiveAugmentation):
            logged["augmentation_p"] = torch.full_like(middle, self.augmentation.p)
        return real, logged

    def shown(self, images: Tensor) -> Tensor:
        """Images as a critic sees them, in single precision."""
        images = images.float()
        if self.augmentation is not None:
            images = self.augmentation(images)
        deviation = self.instance_noise(self.images_seen)
        return images + deviation * torch.randn_like(images) if deviation else images

    def naming(self, judgement: Judgement, labels: Mapping[str, Tensor]) -> Tensor:
        """The weighted cross-entropy of the labels that the critic names, 0 where it names none."""
        losses = [F.cross_entropy(told, labels[name]) for name, told in judgement.classes.items()]
        return (
            self.auxiliary * torch.stack(losses).sum() if losses else judgement.logits.new_zeros(())
        )

    def further_steps(self) -> float:
        """How many steps a critic makes beside each of its own, because of lazy penalties."""
        lazy = [p.every for p in self.penalties.values() if p.every > 1 and p.weight > 0]
        cycle = math.lcm(*lazy)
        return sum(any(step % every == 0 for every in lazy) for step in range(cycle)) / cycle

    def _flipped(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, n) with some pairs exchanged."""
        share = self.flipped_labels(self.images_seen)
        if not share:
            return real, fake
        flipped = torch.rand_like(real) < share
        return torch.where(flipped, fake, real), torch.where(flipped, real, fake)
