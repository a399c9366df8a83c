"""Two players, a generator and a critic: every GAN."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.learners.game import Game
from genlab.learners.learner import Losses, drawn_with_labels, gradient_norm, labels_behind
from genlab.learners.players import CriticPlayer, GeneratorPlayer
from genlab.learners.styles import Styles
from genlab.networks import Chosen, Condition
from genlab.networks.critic import Judgement
from genlab.networks.growing import at_stage, enlarged
from genlab.networks.layers import variance
from genlab.objectives.adversarial import GameLoss
from genlab.objectives.path_length import PathLength
from genlab.remedies.remedy import Labels, Remedy
from genlab.schedules import Schedule, Stages

CRITIC, GENERATOR = 0, 1  # players


class Adversarial(Game):
    """The generator makes images from latents N(0, I); the critic tells them from real ones.

    Goodfellow et al. 2014, algorithm 1, with one forward pass of the generator for both players:
    the generator learns from the fakes that the critic has just learned from, and where its loss
    looks at reals too, from the critic's last judgement of them.

    Args:
        generator, critic: the players.
        loss: a function of real and fake logits that gives both players' losses.
        remedies: by any names, what is added to the game, see `genlab.remedies`.
        critic_steps: batches that the critic learns from for each that the generator does.
        generator_steps: the generator's steps each time, the second on with new latents.
        adversarial: weight of the game's loss in the generator's.
        rate, stages: see `Learner`.

    A penalty, or path length regularisation, with `every` above 1 is a step of its own; rate and
    betas of its player's optimizer allow for the additional steps (Karras et al. 2020, appendix B,
    https://arxiv.org/abs/1912.04958).
    """

    def __init__(
        self,
        generator: GeneratorPlayer,
        critic: CriticPlayer,
        loss: GameLoss,
        remedies: Mapping[str, Remedy | None] | None = None,
        critic_steps: int = 1,
        generator_steps: int = 1,
        adversarial: float = 1.0,
        rate: float | Schedule = 1.0,
        stages: Stages | None = None,
    ) -> None:
        super().__init__(loss, rate, stages)
        bounds.whole(1, critic_steps=critic_steps)
        bounds.whole(1, bounds.RAREST, generator_steps=generator_steps)
        bounds.at_least(0, adversarial=adversarial)
        if self.stage and not (generator.network.decoder.grows and critic.network.encoder.grows):
            raise ValueError("these players cannot grow: set growth=none, or players=stylegan")
        self.generator = generator
        self.critic = critic
        self.critic_steps = critic_steps
        self.generator_steps = generator_steps
        self.adversarial = adversarial
        self.equip(critic, remedies, generator.network)
        if not adversarial and not critic.remedies.compare:
            raise ValueError(
                "adversarial=0 leaves the generator no loss: add remedy=feature_matching"
            )

    @property
    def condition(self) -> Condition | None:
        """The labels that the generator is conditioned on."""
        return self.generator.network.condition

    @property
    def styles(self) -> Styles | None:
        """Those of the averaged generator, where it has a mapping network."""
        decoder = self.generator.average.network.styled
        return Styles(decoder, self.stage) if decoder else None

    @property
    def exported(self) -> nn.Module:
        """The averaged generator."""
        return self.generator.average.network

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The critic's and the generator's."""
        return [self.critic.new_optimizer(), self.generator.new_optimizer()]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critic's step, then in its turn the generator's against the improved critic."""
        batch_images = len(images) * self.engine.world_size
        step = self.images_seen // batch_images
        generator_plays = (step + 1) % self.critic_steps == 0
        images = at_stage(images, **self.stage)
        batches = self.generator.batches if generator_plays else 1
        fake_labels = {name: values.repeat(batches) for name, values in labels.items()}
        with torch.set_grad_enabled(generator_plays):
            fakes = self._sample_fakes(len(images) * batches, fake_labels)
        shown = fakes[: len(images)].detach()
        real, losses = self.critic_step(CRITIC, self.critic, images, shown, labels, step)
        # How varied the fakes are beside the reals: near 0 where all are the same.
        fake_spread, real_spread = (variance(each.float()) for each in (shown, images))
        spread = fake_spread.mean() / real_spread.mean().clamp(min=1e-8)
        losses["diversity"] = spread.sqrt()
        if not generator_plays:
            return losses
        compared = self.compared(self.critic, images, labels)
        reals = real.logits.repeat(batches, 1)
        for turn in range(self.generator_steps):
            if turn:
                fakes = self._sample_fakes(len(fakes), fake_labels)
            losses["generator_loss"] = self._generator_step(fakes, fake_labels, reals, compared)
        losses["generator_gradient"] = gradient_norm(self.generator.network)
        path_length = self.generator.path_length
        if path_length is not None and path_length.due(step // self.critic_steps):
            losses["path_length"] = self._path_length_step(path_length, len(images), labels)
        self.generator.update_average(self.images_seen, batch_images * self.critic_steps)
        return losses

    def _sample_fakes(self, count: int, labels: Labels) -> Tensor:
        """Fakes (count, C, H, W) of the labels, from new latents."""
        result: Tensor = self.generator.network(self._noise(count, labels), **self.stage)
        return result

    def _noise(self, count: int, labels: Labels) -> Tensor:
        """New latents of the labels."""
        network = self.generator.network
        noise = torch.randn(count, network.latent_size, device=self.device)
        return network.latents(noise, labels)

    def _generator_step(
        self, fakes: Tensor, labels: Labels, reals: Tensor, compared: Judgement | None
    ) -> Tensor:
        """One step of the generator against the critic as it is; its loss, detached."""
        network = self.generator.network
        losses = self.generator_losses(self.critic, network, fakes, labels, reals, compared)
        loss = losses.auxiliary
        if self.adversarial:
            loss = loss + self.adversarial * losses.game
        for added in losses.remedies:
            loss = loss + added
        self.descend(GENERATOR, loss)
        self.critic.remedies.after_generator(network)
        return loss.detach()

    def _path_length_step(self, penalty: PathLength, count: int, labels: Labels) -> Tensor:
        """Path length regularisation of a generator with styles, as a step; the mean length."""
        decoder = self.generator.network.styled
        assert decoder is not None
        count = max(1, round(count * penalty.share))
        shared = {name: values[:count] for name, values in labels.items()}
        styles = decoder.styles(self._noise(count, shared), **self.stage)
        styles = styles[:, : decoder.synthesis.layers_at(self.stage.get("resolution"))]
        self.descend(
            GENERATOR,
            penalty(styles, lambda each: decoder.synthesis(each, "random", **self.stage)),
        )
        return penalty.mean.clone()

    def latents(self, count: int, generator: torch.Generator, labels: Chosen) -> Tensor:
        """(count, latent_size + condition) draws from N(0, I) and labels, on the CPU."""
        noise = torch.randn(count, self.generator.network.latent_size, generator=generator)
        return drawn_with_labels(noise, self.condition, generator, labels)

    def labels_of(self, latents: Tensor) -> dict[str, Tensor]:
        """The labels (B,) that latents of a conditional model carry, by name."""
        return labels_behind(latents, self.condition)

    def generate(self, latents: Tensor) -> Tensor:
        """(B, latent_size + condition) to images (B, C, H, W), by the averaged generator."""
        images = self.generator.average(latents, **self.stage).float()
        return enlarged(images, self.generator.network.decoder.shape[-1] // images.shape[-1])
