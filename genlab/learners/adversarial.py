"""Two players, a generator and a critic: every GAN."""

import functools
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.learners.learner import (
    Learner,
    Losses,
    OptimizerFactory,
    allow_for_lazy_steps,
    drawn_with_labels,
    frozen,
    gradient_norm,
    labels_behind,
)
from genlab.learners.styles import Styles
from genlab.networks import Average, Condition, Critic, Generator, PastWeights, Replay
from genlab.networks.augmentations import AdaptiveAugmentation, Augmentation
from genlab.networks.critic import Judgement
from genlab.networks.growing import at_stage, enlarged
from genlab.objectives import adversarial
from genlab.objectives.path_length import PathLength
from genlab.objectives.penalties import Penalty
from genlab.schedules import Schedule, Stages, as_schedule

GameLoss = Callable[[Tensor, Tensor], adversarial.Losses]


class Adversarial(Learner):
    """The generator makes images from latents N(0, I); the critic tells them from real ones.

    Goodfellow et al. 2014, algorithm 1, with one forward pass of the generator for both players:
    the generator learns from the fakes that the critic has just learned from, and where its loss
    looks at reals too, from the critic's last judgement of them.

    Everything from `critic_steps` to `auxiliary` is a remedy that goes with any loss and networks.

    Args:
        generator: latents to images (B, C, H, W) in [-1, 1].
        critic: images to logits (B, 1).
        loss: a function of real and fake logits that gives both players' losses.
        generator_optimizer, critic_optimizer: make an optimizer from parameters.
        ema_half_life_images: half-life of the averaged generator used for sampling; 0 for none.
        critic_steps: batches that the critic learns from for each that the generator does.
        generator_steps: the generator's steps each time, the second on with new latents.
        penalties: on the critic's gradients, by any names.
        weight_clip: the critic's weights are kept between -weight_clip and weight_clip (Arjovsky
            et al. 2017, algorithm 1); 0 for no clipping.
        flipped_labels: probability with which a pair of a real and a fake image change labels in
            the critic's step, a number or a schedule.
        instance_noise: deviation of Gaussian noise on all that the critic sees, on the scale of
            [-1, 1], a number or a schedule (Sonderby et al. 2017, https://arxiv.org/abs/1610.04490).
        feature_matching: weight in the generator's loss of the squared distance between the mean
            features of reals and fakes (Salimans et al. 2016, section 3.1,
            https://arxiv.org/abs/1606.03498).
        historical_averaging: weight in both losses of the squared distance of a player's weights
            to the mean of its past ones (section 3.3 there); 0 for none.
        augmentation: of all that the critic sees; None for none.
        replay: a pool of earlier fakes for the critic; None for none.
        auxiliary: weight of the cross-entropy of the labels that the critic names.
        generator_batches: the generator learns from so many batches of fakes at once.
        path_length: regularisation of a generator with styles; None for none.
        rate, stages: see `Learner`.

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
        penalties: Mapping[str, Penalty] | None = None,
        weight_clip: float = 0.0,
        flipped_labels: float | Schedule = 0.0,
        instance_noise: float | Schedule = 0.0,
        feature_matching: float = 0.0,
        historical_averaging: float = 0.0,
        augmentation: Augmentation | None = None,
        replay: Replay | None = None,
        auxiliary: float = 1.0,
        generator_batches: int = 1,
        path_length: PathLength | None = None,
        rate: float | Schedule = 1.0,
        stages: Stages | None = None,
    ) -> None:
        super().__init__(rate, stages)
        for name, number in (
            ("critic_steps", critic_steps),
            ("generator_steps", generator_steps),
            ("generator_batches", generator_batches),
        ):
            if number < 1:
                raise ValueError(f"{name}={number} must be at least 1")
        if replay is not None and (generator.condition is not None or self.stage):
            raise ValueError(
                "replay cannot be combined with a condition or with growth: set replay=null"
            )
        if self.stage and not (generator.decoder.grows and critic.encoder.grows):
            raise ValueError("these players cannot grow: set growth=none, or players=stylegan")
        if path_length is not None and generator.styled is None:
            raise ValueError("path_length needs a generator with styles: set path_length=null")
        self.generator = generator
        self.critic = critic
        self.loss = loss
        loss(torch.zeros(1, 1), torch.zeros(1, 1))  # shows wrong settings before training starts
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer
        self.critic_steps = critic_steps
        self.generator_steps = generator_steps
        self.penalties = {k: penalty for k, penalty in (penalties or {}).items() if penalty}
        self.weight_clip = weight_clip
        self.flipped_labels = as_schedule(flipped_labels)
        self.instance_noise = as_schedule(instance_noise)
        self.feature_matching = feature_matching
        self.historical_averaging = historical_averaging
        self.augmentation = augmentation
        self.replay = replay
        self.auxiliary = auxiliary
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
        lazy = [penalty.every for penalty in self.penalties.values() if penalty.every > 1]
        if lazy:
            allow_for_lazy_steps(critic, min(lazy))
        if self.path_length is not None and self.path_length.every > 1:
            allow_for_lazy_steps(generator, self.path_length.every)
        return [critic, generator]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """The critic's step, then in its turn the generator's against the improved critic."""
        batch_images = len(images) * self.trainer.world_size
        step = self.images_seen // batch_images
        generator_plays = (step + 1) % self.critic_steps == 0
        images = at_stage(images, **self.stage)
        batches = self.generator_batches if generator_plays else 1
        told = {name: values.repeat(batches) for name, values in labels.items()}
        with torch.set_grad_enabled(generator_plays):
            fakes = self._imagine(len(images) * batches, told)
        shown = fakes[: len(images)].detach()
        real, losses = self._improve_critic(images, shown, labels, step)
        # How varied the fakes are beside the reals: near 0 where all are the same.
        spread = shown.float().var(0).mean() / images.var(0).mean().clamp(min=1e-8)
        losses["diversity"] = spread.sqrt()
        if not generator_plays:
            return losses
        for turn in range(self.generator_steps):
            if turn:
                fakes = self._imagine(len(fakes), told)
            losses["generator_loss"] = self._improve_generator(fakes, real, told, step)
        losses["generator_gradient"] = gradient_norm(self.generator)
        if self.path_length is not None and self.path_length.due(step // self.critic_steps):
            losses["path_length"] = self._even_out(self.path_length, len(images), labels)
        self.average.update(
            self.generator, self.images_seen, batch_images=batch_images * self.critic_steps
        )
        return losses

    def _imagine(self, count: int, labels: Mapping[str, Tensor]) -> Tensor:
        """Fakes of the labels, from new latents."""
        return self.generator(self._noise(count, labels), **self.stage)

    def _noise(self, count: int, labels: Mapping[str, Tensor]) -> Tensor:
        """New latents of the labels."""
        noise = torch.randn(count, self.generator.latent_size, device=self.device)
        return self.generator.latents(noise, labels)

    def _improve_critic(
        self, images: Tensor, fakes: Tensor, labels: Mapping[str, Tensor], step: int
    ) -> tuple[Judgement, Losses]:
        """A step of the critic; its judgement of the reals before, and what to log."""
        reals = self._shown(images)
        fakes = self._shown(self.replay(fakes) if self.replay else fakes)
        stage = self.stage
        real = self.critic.judge(reals, labels, **stage)
        fake = self.critic.judge(fakes, labels, **stage)
        game = self.loss(*self._flipped(real.logits, fake.logits))
        loss = game.critic + self._naming(real, labels) + self._naming(fake, labels)
        due = [penalty for penalty in self.penalties.values() if penalty.due(step)]
        judged = functools.partial(self.critic, labels=labels, **stage)
        for penalty in due:
            if penalty.every == 1:
                loss = loss + penalty(judged, reals, fakes)
        if self.past_critic is not None:
            loss = loss + self.historical_averaging * self.past_critic(self.critic)
        self.descend(0, loss)
        gradient = gradient_norm(self.critic)
        if lazy := [penalty for penalty in due if penalty.every > 1]:
            self.descend(0, torch.stack([each(judged, reals, fakes) for each in lazy]).sum())
        if self.weight_clip:
            with torch.no_grad():
                for parameter in self.critic.parameters():
                    parameter.clamp_(-self.weight_clip, self.weight_clip)
        if self.past_critic is not None:
            self.past_critic.update(self.critic, step)
        real_logits, fake_logits = real.logits.detach(), fake.logits.detach()
        if self.augmentation is not None:
            signs = self.trainer.strategy.reduce(real_logits.sign().mean(), reduce_op="mean")
            self.augmentation.observe(signs, len(images) * self.trainer.world_size)
        logged = {
            "critic_loss": loss.detach(),
            "critic_gradient": gradient,
            "real_accuracy": (real_logits > 0).float().mean(),
            "fake_accuracy": (fake_logits < 0).float().mean(),
            "logit_gap": real_logits.mean() - fake_logits.mean(),
        }
        if isinstance(self.augmentation, AdaptiveAugmentation):
            logged["augmentation_p"] = self.augmentation.p.clone()
        return real, logged

    def _improve_generator(
        self, fakes: Tensor, real: Judgement, labels: Mapping[str, Tensor], step: int
    ) -> Tensor:
        """One step of the generator against the critic as it is; its loss, detached."""
        with frozen(self.critic):
            fake = self.critic.judge(self._shown(fakes), labels, **self.stage)
        reals = real.logits.detach().repeat(self.generator_batches, 1)
        loss = self.loss(reals, fake.logits).generator + self._naming(fake, labels)
        if self.feature_matching:
            apart = real.features.detach().mean(0) - fake.features.mean(0)
            loss = loss + self.feature_matching * apart.square().sum()
        if self.past_generator is not None:
            loss = loss + self.historical_averaging * self.past_generator(self.generator)
        self.descend(1, loss)
        if self.past_generator is not None:
            self.past_generator.update(self.generator, step // self.critic_steps)
        return loss.detach()

    def _even_out(self, penalty: PathLength, count: int, labels: Mapping[str, Tensor]) -> Tensor:
        """Path length regularisation of a generator with styles, as a step; the mean length."""
        decoder = self.generator.styled
        assert decoder is not None
        count = max(1, round(count * penalty.share))
        told = {name: values[:count] for name, values in labels.items()}
        styles = decoder.styles(self._noise(count, told))
        self.descend(1, penalty(styles, lambda each: decoder.synthesis(each, "random")))
        return penalty.mean.clone()

    def _shown(self, images: Tensor) -> Tensor:
        """Images as the critic sees them, in single precision."""
        images = images.float()
        if self.augmentation is not None:
            images = self.augmentation(images)
        deviation = self.instance_noise(self.images_seen)
        return images + deviation * torch.randn_like(images) if deviation else images

    def _flipped(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 1) with some pairs exchanged."""
        share = self.flipped_labels(self.images_seen)
        if not share:
            return real, fake
        flipped = torch.rand_like(real) < share
        return torch.where(flipped, fake, real), torch.where(flipped, real, fake)

    def _naming(self, judgement: Judgement, labels: Mapping[str, Tensor]) -> Tensor:
        """The weighted cross-entropy of the labels that the critic names, 0 where it names none."""
        losses = [F.cross_entropy(told, labels[name]) for name, told in judgement.classes.items()]
        return (
            self.auxiliary * torch.stack(losses).sum() if losses else judgement.logits.new_zeros(())
        )

    def latents(
        self, count: int, generator: torch.Generator, labels: Mapping[str, str | int]
    ) -> Tensor:
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
