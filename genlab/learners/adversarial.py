"""Two players, a generator and a critic: every GAN."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.learners.game import Game
from genlab.learners.learner import (
    Losses,
    OptimizerFactory,
    allow_for_lazy_steps,
    drawn_with_labels,
    frozen,
    gradient_norm,
    labels_behind,
)
from genlab.learners.styles import Styles
from genlab.networks import Average, Chosen, Condition, Critic, Generator, PastWeights, Replay
from genlab.networks.augmentations import Augmentation
from genlab.networks.critic import Judgement
from genlab.networks.growing import at_stage, enlarged
from genlab.networks.layers import variance
from genlab.objectives.adversarial import GameLoss
from genlab.objectives.path_length import PathLength
from genlab.objectives.penalties import Penalty
from genlab.schedules import Schedule, Stages


class Adversarial(Game):
    """The generator makes images from latents N(0, I); the critic tells them from real ones.

    Goodfellow et al. 2014, algorithm 1, with one forward pass of the generator for both players:
    the generator learns from the fakes that the critic has just learned from, and where its loss
    looks at reals too, from the critic's last judgement of them.

    Args:
        generator: latents to images (B, C, H, W) in [-1, 1].
        critic: images to logits (B, 1).
        generator_optimizer, critic_optimizer: make an optimizer from parameters.
        ema_half_life_images: half-life of the averaged generator used for sampling; 0 for none.
        critic_steps: batches that the critic learns from for each that the generator does.
        generator_steps: the generator's steps each time, the second on with new latents.
        adversarial: weight of the game's loss in the generator's.
        feature_matching: weight in the generator's loss of the squared distance between the mean
            features of reals and fakes, both of the critic as it then is (Salimans et al. 2016,
            section 3.1, https://arxiv.org/abs/1606.03498, where `adversarial` is 0).
        replay: makes a pool of earlier fakes for the critic from `labels`, the names of those that
            it looks at; None for none.
        generator_batches: the generator learns from so many batches of fakes at once.
        path_length: regularisation of a generator with styles; None for none.
        loss and all others: see `Game`.

    A penalty, or path length regularisation, with `every` above 1 is a step of its own; rate and
    betas of its player's optimizer allow for the additional steps (Karras et al. 2020, appendix B,
    https://arxiv.org/abs/1912.04958).
    """

    def __init__(
        self,
        generator: Generator,
        critic: Critic,
        loss: GameLoss,
        generator_optimizer: OptimizerFactory,
        critic_optimizer: OptimizerFactory,
        ema_half_life_images: float,
        critic_steps: int = 1,
        generator_steps: int = 1,
        penalties: Mapping[str, Penalty | None] | None = None,
        weight_clip: float = 0.0,
        flipped_labels: float | Schedule = 0.0,
        instance_noise: float | Schedule = 0.0,
        adversarial: float = 1.0,
        feature_matching: float = 0.0,
        historical_averaging: float = 0.0,
        augmentation: Augmentation | None = None,
        replay: Callable[..., Replay] | None = None,
        auxiliary: float = 1.0,
        generator_batches: int = 1,
        path_length: PathLength | None = None,
        rate: float | Schedule = 1.0,
        stages: Stages | None = None,
    ) -> None:
        super().__init__(
            loss,
            penalties,
            weight_clip,
            flipped_labels,
            instance_noise,
            augmentation,
            rate,
            historical_averaging,
            auxiliary,
            stages,
        )
        bounds.whole(1, critic_steps=critic_steps)
        bounds.whole(1, bounds.RAREST, generator_steps=generator_steps)
        bounds.whole(1, bounds.RAREST, generator_batches=generator_batches)
        bounds.at_least(0, ema_half_life_images=ema_half_life_images)
        bounds.at_least(0, adversarial=adversarial, feature_matching=feature_matching)
        if not adversarial and not feature_matching:
            raise ValueError("adversarial=0 leaves the generator no loss: set feature_matching=1")
        if self.stage and not (generator.decoder.grows and critic.encoder.grows):
            raise ValueError("these players cannot grow: set growth=none, or players=stylegan")
        if path_length is not None and generator.styled is None:
            raise ValueError("path_length needs a generator with styles: set path_length=null")
        self.generator = generator
        self.critic = critic
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer
        self.critic_steps = critic_steps
        self.generator_steps = generator_steps
        self.adversarial = adversarial
        self.feature_matching = feature_matching
        self.replay = replay(labels=critic.labels) if replay else None
        self.generator_batches = generator_batches
        self.path_length = path_length
        self.average = Average(generator, ema_half_life_images)
        past = historical_averaging > 0
        self.past_critic = PastWeights(critic) if past else None
        self.past_generator = PastWeights(generator) if past else None

    @property
    def condition(self) -> Condition | None:
        """The labels that the generator is told."""
        return self.generator.condition

    @property
    def styles(self) -> Styles | None:
        """Those of the averaged generator, where it has a mapping network."""
        decoder = self.average.network.styled
        return Styles(decoder, self.stage) if decoder else None

    @property
    def exported(self) -> nn.Module:
        """The averaged generator."""
        return self.average.network

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The critic's and the generator's."""
        critic = self.critic_optimizer(self.critic.parameters())
        generator = self.generator_optimizer(self.generator.parameters())
        allow_for_lazy_steps(critic, self.further_steps())
        if (path := self.path_length) is not None and path.weight > 0:
            allow_for_lazy_steps(generator, 1 / path.every)
        return [critic, generator]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critic's step, then in its turn the generator's against the improved critic."""
        batch_images = len(images) * self.engine.world_size
        step = self.images_seen // batch_images
        generator_plays = (step + 1) % self.critic_steps == 0
        images = at_stage(images, **self.stage)
        batches = self.generator_batches if generator_plays else 1
        told = {name: values.repeat(batches) for name, values in labels.items()}
        with torch.set_grad_enabled(generator_plays):
            fakes = self._imagine(len(images) * batches, told)
        shown = fakes[: len(images)].detach()
        real, losses = self.criticise(
            0, self.critic, images, shown, labels, step, self.replay, self.past_critic
        )
        # How varied the fakes are beside the reals: near 0 where all are the same.
        fake_spread, real_spread = (variance(each.float()) for each in (shown, images))
        spread = fake_spread.mean() / real_spread.mean().clamp(min=1e-8)
        losses["diversity"] = spread.sqrt()
        if not generator_plays:
            return losses
        matched = self._mean_features(images, labels) if self.feature_matching else None
        for turn in range(self.generator_steps):
            if turn:
                fakes = self._imagine(len(fakes), told)
            losses["generator_loss"] = self._improve_generator(fakes, real, told, matched)
        losses["generator_gradient"] = gradient_norm(self.generator)
        if self.path_length is not None and self.path_length.due(step // self.critic_steps):
            losses["path_length"] = self._even_out(self.path_length, len(images), labels)
        self.average.update(
            self.generator, self.images_seen, batch_images=batch_images * self.critic_steps
        )
        return losses

    def _imagine(self, count: int, labels: Mapping[str, Tensor]) -> Tensor:
        """Fakes of the labels, from new latents."""
        result: Tensor = self.generator(self._noise(count, labels), **self.stage)
        return result

    def _noise(self, count: int, labels: Mapping[str, Tensor]) -> Tensor:
        """New latents of the labels."""
        noise = torch.randn(count, self.generator.latent_size, device=self.device)
        return self.generator.latents(noise, labels)

    @torch.no_grad()
    def _mean_features(self, images: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """The mean (n,) of what the critic, as it is now, sees in images (B, C, H, W)."""
        return self.critic.judge(self.shown(images), labels, **self.stage).features.mean(0)

    def _improve_generator(
        self,
        fakes: Tensor,
        real: Judgement,
        labels: Mapping[str, Tensor],
        matched: Tensor | None,
    ) -> Tensor:
        """One step of the generator against the critic as it is; its loss, detached.

        `matched` are the mean features (n,) that those of the fakes are to equal; None for none.
        """
        with frozen(self.critic):
            fake = self.critic.judge(self.shown(fakes), labels, **self.stage)
        reals = real.logits.detach().repeat(self.generator_batches, 1)
        loss = self.naming(fake, labels)
        if self.adversarial:
            loss = loss + self.adversarial * self.loss(reals, fake.logits).generator
        if matched is not None:
            apart = matched - fake.features.mean(0)
            loss = loss + self.feature_matching * apart.square().sum()
        if self.past_generator is not None:
            loss = loss + self.historical_averaging * self.past_generator(self.generator)
        self.descend(1, loss)
        if self.past_generator is not None:
            self.past_generator.update(self.generator)
        return loss.detach()

    def _even_out(self, penalty: PathLength, count: int, labels: Mapping[str, Tensor]) -> Tensor:
        """Path length regularisation of a generator with styles, as a step; the mean length."""
        decoder = self.generator.styled
        assert decoder is not None
        count = max(1, round(count * penalty.share))
        told = {name: values[:count] for name, values in labels.items()}
        styles = decoder.styles(self._noise(count, told), **self.stage)
        styles = styles[:, : decoder.synthesis.layers_at(self.stage.get("resolution"))]
        self.descend(
            1, penalty(styles, lambda each: decoder.synthesis(each, "random", **self.stage))
        )
        return penalty.mean.clone()

    def latents(self, count: int, generator: torch.Generator, labels: Chosen) -> Tensor:
        """(count, latent_size + condition) draws from N(0, I) and labels, on the CPU."""
        noise = torch.randn(count, self.generator.latent_size, generator=generator)
        return drawn_with_labels(noise, self.condition, generator, labels)

    def labels_of(self, latents: Tensor) -> dict[str, Tensor]:
        """The labels (B,) that latents of a conditional model carry, by name."""
        return labels_behind(latents, self.condition)

    def generate(self, latents: Tensor) -> Tensor:
        """(B, latent_size + condition) to pictures (B, C, H, W), by the averaged generator."""
        pictures = self.average(latents, **self.stage).float()
        return enlarged(pictures, self.generator.decoder.shape[-1] // pictures.shape[-1])
