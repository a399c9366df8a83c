"""Two players, a generator and a critic: every GAN."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from genlab.learners.learner import Learner, Losses, OptimizerFactory, frozen, refuse_labels
from genlab.networks import Average
from genlab.objectives import adversarial
from genlab.schedules import Schedule

GameLoss = Callable[[Tensor, Tensor], adversarial.Losses]


class Adversarial(Learner):
    """The generator makes images from latents N(0, I); the critic tells them from real ones.

    Goodfellow et al. 2014, algorithm 1, with one forward pass of the generator for both players.

    Args:
        generator: latents (B, latent_size) to images (B, C, H, W) in [-1, 1].
        critic: images to logits (B, 1).
        latent_size: numbers in a latent.
        loss: a function of real and fake logits that gives both players' losses.
        generator_optimizer, critic_optimizer: make an optimizer from parameters.
        ema_half_life_images: half-life of the averaged generator used for sampling; 0 for none.
        rate: see `Learner`.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        latent_size: int,
        loss: GameLoss,
        generator_optimizer: OptimizerFactory,
        critic_optimizer: OptimizerFactory,
        ema_half_life_images: float,
        rate: float | Schedule = 1.0,
    ) -> None:
        super().__init__(rate)
        self.generator = generator
        self.critic = critic
        self.latent_size = latent_size
        self.loss = loss
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer
        self.average = Average(generator, ema_half_life_images)

    @property
    def exported(self) -> nn.Module:
        """The averaged generator."""
        return self.average.network

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The critic's and the generator's."""
        return [
            self.critic_optimizer(self.critic.parameters()),
            self.generator_optimizer(self.generator.parameters()),
        ]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critic's step, then the generator's against the improved critic."""
        latents = torch.randn(len(images), self.latent_size, device=images.device)
        fakes = self.generator(latents)

        real_logits = self.critic(images).float()
        fake_logits = self.critic(fakes.detach()).float()
        critic_loss = self.loss(real_logits, fake_logits).critic
        self.descend(0, critic_loss)

        with frozen(self.critic):
            logits = self.critic(fakes).float()
        generator_loss = self.loss(real_logits.detach(), logits).generator
        self.descend(1, generator_loss)
        self.average.update(
            self.generator,
            self.images_seen,
            batch_images=len(images) * self.trainer.world_size,
        )
        return {
            "critic_loss": critic_loss.detach(),
            "generator_loss": generator_loss.detach(),
            "real_accuracy": (real_logits.detach() > 0).float().mean(),
            "fake_accuracy": (fake_logits.detach() < 0).float().mean(),
        }

    def latents(
        self, count: int, generator: torch.Generator, labels: Mapping[str, str | int]
    ) -> Tensor:
        """(count, latent_size) draws from N(0, I), on the CPU."""
        refuse_labels(labels)
        return torch.randn(count, self.latent_size, generator=generator)

    def labels_of(self, latents: Tensor) -> dict[str, Tensor]:
        """None: the generator is told no labels."""
        return {}

    @torch.inference_mode()
    def generate(self, latents: Tensor) -> Tensor:
        """(B, latent_size) to pictures (B, C, H, W) in [-1, 1], by the averaged generator."""
        return self.average(latents).float()
