"""One translator that makes whole images of parts: super-resolution, inpainting, painting."""

from collections.abc import Callable, Mapping
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
from genlab.metrics.reconstruction import psnr, squared_error, ssim
from genlab.networks import Average, Critic
from genlab.networks.augmentations import Augmentation
from genlab.objectives.adversarial import GameLoss
from genlab.objectives.reconstruction import AbsoluteError, Likelihood
from genlab.objectives.views import View
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
        translator: makes the network from `inputs`, `channels` and `scale`.
        channels: of an image.
        content: the error of a picture against its image.
        content_weight: its weight.
        adversarial: weight of the game's loss, a number or a schedule.
        critic: makes the critic from `channels`; None where the weight is always 0.
        critic_sees_given: show the critic what was given, behind the picture.
        feature_matching: weight of the mean absolute difference between the features of picture and
            image in the critic after its step, pair by pair (Wang et al. 2018, equation 3,
            https://arxiv.org/abs/1711.11585).
        translator_optimizer, critic_optimizer: make an optimizer from parameters.
        ema_half_life_images: half-life of the averaged translator that is kept; 0 for none.
        loss and all others: see `Game`.
    """

    def __init__(
        self,
        view: View,
        translator: Callable[..., nn.Module],
        channels: int,
        loss: GameLoss,
        translator_optimizer: OptimizerFactory,
        critic_optimizer: OptimizerFactory,
        ema_half_life_images: float,
        content: Likelihood | None = None,
        content_weight: float = 1.0,
        adversarial: float | Schedule = 0.0,
        critic: Callable[..., Critic] | None = None,
        critic_sees_given: bool = False,
        feature_matching: float = 0.0,
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
        bounds.at_least(0, ema_half_life_images=ema_half_life_images, adversarial=adversarial)
        bounds.at_least(0, content_weight=content_weight, feature_matching=feature_matching)
        given = view.channels(channels)
        if critic_sees_given and view.scale != 1:
            raise ValueError(
                "critic_sees_given=true needs what is given at the image's size: set it to false"
            )
        self.adversarial = as_schedule(adversarial)
        if critic is None and (callable(adversarial) or adversarial):
            raise ValueError(f"adversarial={adversarial} needs a critic: set it to 0")
        self.view = view
        self.channels = channels
        self.translator = translator(inputs=given, channels=channels, scale=view.scale)
        seen = channels + (given if critic_sees_given else 0)
        self.critic = critic(channels=seen) if critic else None
        self.critic_sees_given = critic_sees_given
        self.content = content or AbsoluteError()
        self.content_weight = content_weight
        self.feature_matching = feature_matching
        self.translator_optimizer = translator_optimizer
        self.critic_optimizer = critic_optimizer
        self.average = Average(self.translator, ema_half_life_images)

    @property
    def exported(self) -> nn.Module:
        """The averaged translator."""
        return self.average.network

    @property
    def directions(self) -> list[str]:
        """One, named by what is made."""
        return [self.view.names[1].replace(" ", "_")]

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The translator's and the critic's."""
        translator = self.translator_optimizer(self.translator.parameters())
        if self.critic is None:
            return [translator]
        critic = self.critic_optimizer(self.critic.parameters())
        allow_for_lazy_steps(critic, self.further_steps())
        return [translator, critic]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critic's step, then the translator's against the improved critic."""
        batch_images = len(images) * self.engine.world_size
        step = self.images_seen // batch_images
        given = self.view(images)
        pictures = self.view.complete(given, self.translator(given))
        error = self.content(pictures, images).mean()
        loss = self.content_weight * error
        losses = {"content": error.detach()}
        weight = self.adversarial(self.images_seen)
        if self.critic is not None and weight:
            real, judged = self.criticise(
                CRITIC,
                self.critic,
                self._beside(images, given),
                self._beside(pictures.detach(), given),
                {},
                step,
            )
            with frozen(self.critic):
                fake = self.critic.judge(self.shown(self._beside(pictures, given)), {})
            convinces = self.loss(real.logits.detach(), fake.logits).generator
            loss = loss + weight * convinces
            losses |= judged | {"generator_loss": convinces.detach()}
            if self.feature_matching:
                with torch.no_grad():  # of the critic that has judged the pictures
                    seen = self.critic.judge(self.shown(self._beside(images, given)), {})
                apart = (seen.features - fake.features).abs().mean()
                loss = loss + self.feature_matching * apart
        self.descend(TRANSLATOR, loss)
        losses["loss"] = loss.detach()
        losses["translator_gradient"] = gradient_norm(self.translator)
        self.average.update(self.translator, self.images_seen, batch_images)
        return losses

    @torch.inference_mode()
    def translate(self, given: Tensor, direction: str) -> Tensor:
        """What was given, (B, given, h, w), to pictures (B, C, H, W) in [-1, 1]."""
        return self.view.complete(given, self.average(given).float()).clamp(-1, 1)

    def translated(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Translated]:
        """The naive pictures of images (B, C, H, W), what is made of them, and the images."""
        given = self.view(images)
        made = self.translate(given, self.directions[0])
        naive = self.view.naive(given, self.channels)
        return {self.directions[0]: Translated(naive, made, images, paired=True)}

    def reconstruct(self, images: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """(B, C, H, W) in [-1, 1], seen through the view and made whole again."""
        return self.translate(self.view(images), self.directions[0])

    def views(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The images, the naive pictures and the translator's."""
        (pictures,) = self.translated(images, labels).values()
        given, made = self.view.names
        return {"image": images, given: pictures.before, made: pictures.after}

    @torch.inference_mode()
    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Per image (B,): squared error on [0, 1], PSNR in dB and SSIM, and the naive picture's."""
        (pictures,) = self.translated(images, labels).values()
        measured: Losses = {}
        for name, made in (("", pictures.after), ("naive_", pictures.before)):
            error = squared_error(made, images)
            measured |= {f"{name}mse": error, f"{name}psnr": psnr(error)}
            similarity = ssim(made, images)
            if similarity is not None:
                measured[f"{name}ssim"] = similarity
        return measured

    def _beside(self, pictures: Tensor, given: Tensor) -> Tensor:
        """Pictures (B, C, H, W), with what was given where the critic sees that too."""
        if not self.critic_sees_given:
            return pictures
        return torch.cat([pictures, given.to(pictures.dtype)], 1)
