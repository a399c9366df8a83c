"""One translator that makes whole images of parts: super-resolution, inpainting, painting."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.learners.abilities import Translated
from genlab.learners.game import Game
from genlab.learners.learner import Losses, gradient_norm
from genlab.learners.players import TranslationCriticPlayer, TranslatorPlayer
from genlab.metrics.reconstruction import psnr, squared_error, ssim
from genlab.objectives.adversarial import GameLoss
from genlab.objectives.reconstruction import AbsoluteError, Likelihood
from genlab.objectives.views import View
from genlab.remedies import Remedy
from genlab.schedules import Schedule, as_schedule

TRANSLATOR, CRITIC = 0, 1  # players


class Translation(Game):
    """The translator learns from the image itself and from a critic.

    It minimises content_weight * content + adversarial * the game's loss, as SRGAN (Ledig et al.
    2017, equation 3, https://arxiv.org/abs/1609.04802), context encoders (Pathak et al. 2016,
    equation 3, https://arxiv.org/abs/1604.07379) and pix2pix (Isola et al. 2017, equation 4,
    https://arxiv.org/abs/1611.07004) do. While `adversarial` is 0 the critic rests.

    Args:
        view: what of an image is given.
        translator: makes the translator from `inputs`, `channels` and `scale`.
        channels: of an image.
        loss: a function of real and fake logits that gives both players' losses.
        content: the error of what is made against the image.
        content_weight: its weight.
        adversarial: weight of the game's loss, a number or a schedule.
        critic: makes the critic from `channels` and `given`; None where the weight is always 0.
        remedies: by any names, what is added to the game, see `genlab.remedies`.
        rate: see `Learner`.
    """

    def __init__(
        self,
        view: View,
        translator: Callable[..., TranslatorPlayer],
        channels: int,
        loss: GameLoss,
        content: Likelihood | None = None,
        content_weight: float = 1.0,
        adversarial: float | Schedule = 0.0,
        critic: Callable[..., TranslationCriticPlayer] | None = None,
        remedies: Mapping[str, Remedy | None] | None = None,
        rate: float | Schedule = 1.0,
    ) -> None:
        super().__init__(loss, rate)
        bounds.at_least(0, adversarial=adversarial, content_weight=content_weight)
        given = view.channels(channels)
        self.adversarial = as_schedule(adversarial)
        if critic is None and (callable(adversarial) or adversarial):
            raise ValueError(f"adversarial={adversarial} needs a critic: set it to 0")
        self.view = view
        self.channels = channels
        self.translator = translator(inputs=given, channels=channels, scale=view.scale)
        self.critic = critic(channels=channels, given=given) if critic else None
        if self.critic is not None:
            if self.critic.sees_given and view.scale != 1:
                raise ValueError(
                    "critic.sees_given=true needs what is given at the image's size: set it to "
                    "false"
                )
            self.equip(self.critic, remedies, self.translator.network)
        self.content = content or AbsoluteError()
        self.content_weight = content_weight

    @property
    def exported(self) -> nn.Module:
        """The averaged translator."""
        return self.translator.average.network

    @property
    def directions(self) -> list[str]:
        """One, named by what is made."""
        return [self.view.names[1].replace(" ", "_")]

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The translator's and the critic's."""
        players = [self.translator, *([self.critic] if self.critic else [])]
        return [player.new_optimizer() for player in players]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critic's step, then the translator's against the improved critic."""
        network = self.translator.network
        given = self.view(images)
        made = self.view.complete(given, network(given))
        error = self.content(made, images).mean()
        loss = self.content_weight * error
        losses = {"content": error.detach()}
        weight = self.adversarial(self.images_seen)
        batch_images = len(images) * self.engine.world_size
        if self.critic is not None and weight:
            critic, step = self.critic, self.images_seen // batch_images
            real, fake = critic.view(images, given), critic.view(made, given)
            judgement, logged = self.critic_step(CRITIC, critic, real, fake.detach(), {}, step)
            found = self.generator_losses(
                critic,
                network,
                fake,
                {},
                judgement.logits,
                self.compared(critic, real, {}),
                paired=True,
            )
            loss = loss + weight * found.game
            losses |= logged | {"generator_loss": found.game.detach()}
            for added in found.remedies:
                loss = loss + added
        self.descend(TRANSLATOR, loss)
        if self.critic is not None:
            self.critic.remedies.after_generator(network)
        losses["loss"] = loss.detach()
        losses["translator_gradient"] = gradient_norm(network)
        self.translator.update_average(self.images_seen, batch_images)
        return losses

    @torch.inference_mode()
    def translate(self, given: Tensor, direction: str) -> Tensor:
        """What was given, (B, given, h, w), to images (B, C, H, W) in [-1, 1]."""
        return self.view.complete(given, self.translator.average(given).float()).clamp(-1, 1)

    def translated(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Translated]:
        """Naive versions of images (B, C, H, W), what is made of them, and the images."""
        given = self.view(images)
        made = self.translate(given, self.directions[0])
        naive = self.view.naive(given, self.channels)
        return {self.directions[0]: Translated(naive, made, images, paired=True)}

    def reconstruct(self, images: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """(B, C, H, W) in [-1, 1], seen through the view and made whole again."""
        return self.translate(self.view(images), self.directions[0])

    def views(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The images, the naive versions and the translator's."""
        (found,) = self.translated(images, labels).values()
        given, made = self.view.names
        return {"image": images, given: found.before, made: found.after}

    @torch.inference_mode()
    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Per image (B,): squared error on [0, 1], PSNR in dB and SSIM; also the naive ones."""
        (found,) = self.translated(images, labels).values()
        measured: Losses = {}
        for name, made in (("", found.after), ("naive_", found.before)):
            error = squared_error(made, images)
            measured |= {f"{name}mse": error, f"{name}psnr": psnr(error)}
            similarity = ssim(made, images)
            if similarity is not None:
                measured[f"{name}ssim"] = similarity
        return measured
