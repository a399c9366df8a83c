"""Two translators and two critics: images of two kinds that nobody has paired."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.learners.abilities import Translated
from genlab.learners.game import Game
from genlab.learners.learner import (
    Losses,
    OptimizerFactory,
    allow_for_lazy_steps,
    frozen,
    gradient_norm,
)
from genlab.metrics.reconstruction import psnr, squared_error
from genlab.networks import Average, Critic, Replay
from genlab.networks.augmentations import Augmentation
from genlab.networks.cycle import Cycle
from genlab.objectives.adversarial import GameLoss
from genlab.objectives.reconstruction import AbsoluteError
from genlab.schedules import Schedule

TRANSLATORS = 2  # player; 0 and 1 are the critics of the first and second kind


class CycleConsistency(Game):
    """Each translator makes images of the other kind out of which its counterpart makes the first.

    CycleGAN (Zhu et al. 2017, equation 3 and section 5.2, https://arxiv.org/abs/1703.10593): the
    game's loss for either direction, `cycle` times the absolute error of images that went there
    and back, and `identity` times that of images told to become what they are.

    Args:
        translators: both networks.
        critic: makes a critic of one kind.
        classes: names of the classes by label.
        label: the one that tells the two kinds apart.
        translator_optimizer, critic_optimizer: make an optimizer from parameters.
        ema_half_life_images: half-life of the averaged translators that are kept; 0 for none.
        cycle, identity: weights, with pixels on [-1, 1].
        replay: makes a pool of earlier fakes for each critic (section 4 there); None for none.
        loss and all others: see `Game`.
    """

    def __init__(
        self,
        translators: Cycle,
        critic: Callable[..., Critic],
        classes: Mapping[str, Sequence[str]],
        label: str,
        loss: GameLoss,
        translator_optimizer: OptimizerFactory,
        critic_optimizer: OptimizerFactory,
        ema_half_life_images: float,
        cycle: float = 10.0,
        identity: float = 5.0,
        replay: Callable[..., Replay] | None = None,
        penalties: Mapping[str, Any] | None = None,
        weight_clip: float = 0.0,
        flipped_labels: float | Schedule = 0.0,
        instance_noise: float | Schedule = 0.0,
        augmentation: Augmentation | None = None,
        rate: float | Schedule = 1.0,
    ) -> None:
        super().__init__(
            loss=loss,
            penalties=penalties,
            weight_clip=weight_clip,
            flipped_labels=flipped_labels,
            instance_noise=instance_noise,
            augmentation=augmentation,
            rate=rate,
        )
        bounds.at_least(0, ema_half_life_images=ema_half_life_images)
        bounds.at_least(0, cycle=cycle, identity=identity)
        self.label, self.kinds = label, _two_kinds(classes, label)
        self.translators = translators
        self.critics = nn.ModuleList(critic() for _ in range(2))
        self.replays = nn.ModuleList(replay() for _ in range(2)) if replay else None
        self.cycle = cycle
        self.identity = identity
        self.translator_optimizer = translator_optimizer
        self.critic_optimizer = critic_optimizer
        self.average = Average(translators, ema_half_life_images)

    @property
    def exported(self) -> nn.Module:
        """The averaged translators."""
        return self.average.network

    @property
    def directions(self) -> list[str]:
        """From the first kind to the second, and back."""
        first, second = (name.replace(" ", "_") for name in self.kinds)
        return [f"{first}_to_{second}", f"{second}_to_{first}"]

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The critics' and the translators' common one."""
        critics = [self.critic_optimizer(critic.parameters()) for critic in self.critics]
        for optimizer in critics:
            allow_for_lazy_steps(optimizer, self.further_steps())
        return [*critics, self.translator_optimizer(self.translators.parameters())]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critics' steps, then the translators' against the improved critics."""
        batch_images = len(images) * self.engine.world_size
        step = self.images_seen // batch_images
        real = [images[labels[self.label] == kind] for kind in (0, 1)]
        fake = [self.translators(real[1 - kind], 1 - kind) for kind in (0, 1)]
        losses: Losses = {}
        convinced = []
        for kind in (0, 1):
            replay: Any = self.replays[kind] if self.replays else None
            critic: Any = self.critics[kind]
            judgement, judged = self.criticise(
                kind, critic, real[kind], fake[kind].detach(), {}, step, replay
            )
            losses |= {f"{name}/{self.kinds[kind]}": value for name, value in judged.items()}
            with frozen(critic):
                logits = critic.judge(self.shown(fake[kind]), {}).logits
            convinced.append(self.loss(judgement.logits.detach(), logits).generator)
        convinces = torch.stack(convinced).sum()
        error = AbsoluteError()
        back = [self.translators(fake[1 - kind], 1 - kind) for kind in (0, 1)]
        returned = torch.stack([error(back[k], real[k]).mean() for k in (0, 1)]).sum()
        loss = convinces + 2 * self.cycle * returned  # the error is of pixels on [0, 1]
        if self.identity:
            same = [self.translators(real[kind], 1 - kind) for kind in (0, 1)]
            kept = torch.stack([error(same[k], real[k]).mean() for k in (0, 1)]).sum()
            loss = loss + 2 * self.identity * kept
            losses["identity"] = kept.detach()
        self.descend(TRANSLATORS, loss)
        losses |= {
            "generator_loss": convinces.detach(),
            "cycle": returned.detach(),
            "loss": loss.detach(),
            "translator_gradient": gradient_norm(self.translators),
        }
        self.average.update(self.translators, self.images_seen, batch_images)
        return losses

    @torch.inference_mode()
    def translate(self, given: Tensor, direction: str) -> Tensor:
        """Pictures of one kind to pictures of the other, (B, C, H, W) in [-1, 1]."""
        if not len(given):  # a batch may hold one kind only
            return given
        result: Tensor = self.average(given, self.directions.index(direction)).float().clamp(-1, 1)
        return result

    def translated(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Translated]:
        """The images of each kind, what becomes of them, and those of the other kind."""
        kinds = [images[labels[self.label] == kind] for kind in (0, 1)]
        return {
            direction: Translated(
                kinds[k], self.translate(kinds[k], direction), kinds[1 - k], False
            )
            for k, direction in enumerate(self.directions)
        }

    def reconstruct(self, images: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """(B, C, H, W), each image sent to the other kind and back."""
        return self._cycled(images, labels)[1]

    def views(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The images, what is made of them, and the images made of that again."""
        other, back = self._cycled(images, labels)
        return {"image": images, "translated": other, "back again": back}

    @torch.inference_mode()
    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Per image (B,): squared error on [0, 1] and PSNR in dB after going there and back."""
        error = squared_error(self.reconstruct(images, labels), images)
        return {"cycle_mse": error, "cycle_psnr": psnr(error)}

    def _cycled(self, images: Tensor, labels: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) as the other kind, and back."""
        other, back = torch.empty_like(images), torch.empty_like(images)
        for kind, direction in enumerate(self.directions):
            chosen = labels[self.label] == kind
            other[chosen] = self.translate(images[chosen], direction)
            back[chosen] = self.translate(other[chosen], self.directions[1 - kind])
        return other, back


def _two_kinds(classes: Mapping[str, Sequence[str]], label: str) -> Sequence[str]:
    """The names of the label's two classes; ValueError where there are not two."""
    if len(classes.get(label, ())) != 2:
        known = ", ".join(f"{name} ({len(kinds)} classes)" for name, kinds in classes.items())
        raise ValueError(
            f"label={label!r} must have two classes, the kinds of images, and the labels are "
            f"{known}: choose data=avatar_styles, data=two_folders, or with a folder of two "
            "subfolders data.balanced=label"
        )
    return classes[label]
