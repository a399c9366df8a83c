"""Two translators and two critics: images of two kinds that nobody has paired."""

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.learners.abilities import Translated
from genlab.learners.game import Game
from genlab.learners.learner import Losses, gradient_norm
from genlab.learners.players import CriticPlayer, CyclePlayer
from genlab.metrics.reconstruction import psnr, squared_error
from genlab.objectives.adversarial import GameLoss
from genlab.objectives.reconstruction import AbsoluteError
from genlab.remedies import Remedy
from genlab.schedules import Schedule

TRANSLATORS = 2  # player; 0 and 1 are the critics of the first and second kind


class CycleConsistency(Game):
    """Each translator makes images of the other kind out of which its counterpart makes the first.

    CycleGAN (Zhu et al. 2017, equation 3 and section 5.2, https://arxiv.org/abs/1703.10593): the
    game's loss for either direction, `cycle` times the absolute error of images that went there
    and back, and `identity` times that of images which are of the wanted kind already.

    Args:
        translators: both networks, which learn as one.
        critic: makes a critic of one kind.
        classes: names of the classes by label.
        label: the one that tells the two kinds apart.
        loss: a function of real and fake logits that gives both players' losses.
        remedies: by any names, what is added to the game; each critic has its own.
        cycle, identity: weights, with pixels on [-1, 1].
        rate: see `Learner`.
    """

    def __init__(
        self,
        translators: CyclePlayer,
        critic: Callable[..., CriticPlayer],
        classes: Mapping[str, Sequence[str]],
        label: str,
        loss: GameLoss,
        remedies: Mapping[str, Remedy | None] | None = None,
        cycle: float = 10.0,
        identity: float = 5.0,
        rate: float | Schedule = 1.0,
    ) -> None:
        super().__init__(loss, rate)
        bounds.at_least(0, cycle=cycle, identity=identity)
        self.label, self.kinds = label, _two_kinds(classes, label)
        self.translators = translators
        self.critics = nn.ModuleList(critic() for _ in range(2))
        for player, network in zip(self._critics, (translators.network, None), strict=True):
            self.equip(player, copy.deepcopy(remedies), network)
        self.cycle = cycle
        self.identity = identity

    @property
    def exported(self) -> nn.Module:
        """The averaged translators."""
        return self.translators.average.network

    @property
    def directions(self) -> list[str]:
        """From the first kind to the second, and back."""
        first, second = (name.replace(" ", "_") for name in self.kinds)
        return [f"{first}_to_{second}", f"{second}_to_{first}"]

    @property
    def _critics(self) -> list[CriticPlayer]:
        """Of the first and the second kind."""
        return [critic for critic in self.critics if isinstance(critic, CriticPlayer)]

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The critics' and the translators' common one."""
        critics = [critic.new_optimizer() for critic in self._critics]
        return [*critics, self.translators.new_optimizer()]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critics' steps, then the translators' against the improved critics."""
        network = self.translators.network
        batch_images = len(images) * self.engine.world_size
        step = self.images_seen // batch_images
        real = [images[labels[self.label] == kind] for kind in (0, 1)]
        fake = [network(real[1 - kind], 1 - kind) for kind in (0, 1)]
        losses: Losses = {}
        convinced, added = [], []
        for kind, critic in enumerate(self._critics):
            judgement, logged = self.critic_step(
                kind, critic, real[kind], fake[kind].detach(), {}, step
            )
            losses |= {f"{name}/{self.kinds[kind]}": value for name, value in logged.items()}
            compared = self.compared(critic, real[kind], {})
            found = self.generator_losses(
                critic, network, fake[kind], {}, judgement.logits, compared
            )
            convinced.append(found.game)
            added += found.remedies
        game = torch.stack(convinced).sum()
        error = AbsoluteError()
        back = [network(fake[1 - kind], 1 - kind) for kind in (0, 1)]
        returned = torch.stack([error(back[k], real[k]).mean() for k in (0, 1)]).sum()
        loss = game + 2 * self.cycle * returned  # the error is of pixels on [0, 1]
        for each in added:
            loss = loss + each
        if self.identity:
            same = [network(real[kind], 1 - kind) for kind in (0, 1)]
            kept = torch.stack([error(same[k], real[k]).mean() for k in (0, 1)]).sum()
            loss = loss + 2 * self.identity * kept
            losses["identity"] = kept.detach()
        self.descend(TRANSLATORS, loss)
        self._critics[0].remedies.after_generator(network)
        losses |= {
            "generator_loss": game.detach(),
            "cycle": returned.detach(),
            "loss": loss.detach(),
            "translator_gradient": gradient_norm(network),
        }
        self.translators.update_average(self.images_seen, batch_images)
        return losses

    @torch.inference_mode()
    def translate(self, given: Tensor, direction: str) -> Tensor:
        """Images of one kind to images of the other, (B, C, H, W) in [-1, 1]."""
        average = self.translators.average
        if not len(given):  # a batch may hold one kind only
            return given
        result: Tensor = average(given, self.directions.index(direction)).float().clamp(-1, 1)
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
