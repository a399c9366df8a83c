"""One player that rebuilds images from codes: every autoencoder."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from genlab import bounds
from genlab.learners.learner import (
    Learner,
    Losses,
    OptimizerFactory,
    drawn_with_labels,
    labels_behind,
)
from genlab.metrics.reconstruction import psnr, squared_error
from genlab.networks import Chosen, Condition
from genlab.networks.autoencoder import Autoencoder, Corruption
from genlab.networks.autoencoder import Reconstruction as Reconstructed
from genlab.objectives import codes
from genlab.objectives.reconstruction import Likelihood, SquaredError
from genlab.schedules import Schedule, Stages, as_schedule

CodePenalty = Callable[..., Tensor]


class Reconstruction(Learner):
    """Minimises reconstruction + beta * code penalty / values per image.

    The reconstruction error is a mean per pixel and channel, so the code penalty (nats per image)
    is divided by their number: with a likelihood and the Gaussian KL the loss at beta 1 is the
    negative ELBO in nats per pixel value. A block that is trained on its own has the squared error
    of the features below it instead.

    Args:
        autoencoder: encoder, bottleneck and decoder.
        reconstruction: the error of the decoder's output, and the image it stands for.
        optimizer: makes the optimizer from parameters.
        code_penalty: a function of the code, (B,) per image or a scalar.
        beta: the penalty's weight, a number or a schedule (Higgins et al. 2017 for the KL).
        penalty_per_value: false leaves the penalty undivided, whatever the size of the images.
        corruption: what happens to the input, while the target stays clean.
        validation_draws: codes drawn from its posterior for each image that is measured; a code
            without a posterior is a point and needs none.
        rate: see `Learner`.
        stages: makes the stages of `Learner` from `blocks`, the number of the autoencoder's pairs.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        reconstruction: Likelihood,
        optimizer: OptimizerFactory,
        code_penalty: CodePenalty = codes.none,
        beta: float | Schedule = 1.0,
        penalty_per_value: bool = True,
        corruption: Corruption | None = None,
        validation_draws: int = 1,
        rate: float | Schedule = 1.0,
        stages: Callable[..., Stages] | None = None,
    ) -> None:
        super().__init__(rate, stages(blocks=len(autoencoder.pairs)) if stages else None)
        bounds.at_least(0, beta=beta)
        bounds.whole(1, validation_draws=validation_draws)
        self.autoencoder = autoencoder
        self.reconstruction = reconstruction
        self.optimizer = optimizer
        self.code_penalty = code_penalty
        self.beta = as_schedule(beta)
        self.penalty_per_value = penalty_per_value
        self.corruption = corruption
        self.validation_draws = validation_draws

    @property
    def condition(self) -> Condition | None:
        """The labels that encoder and decoder are conditioned on."""
        return self.autoencoder.condition

    @property
    def styles(self) -> None:
        """None: codes are all there is."""
        return None

    @property
    def exported(self) -> nn.Module:
        """The autoencoder."""
        return self.autoencoder

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The one player's optimizer."""
        return [self.optimizer(self.autoencoder.parameters())]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Corrupt, encode, decode, compare, step."""
        result = self.autoencoder.learn(images, labels, self.corruption, **self.stage)
        compare = _of_features if "block" in self.stage else self.reconstruction
        error = compare(result.output, result.target).mean()
        penalty = self._penalty(result.code, error)
        loss = error + self._weight(images) * penalty
        self.descend(0, loss)
        return {
            "loss": loss.detach(),
            "reconstruction": error.detach(),
            "code_penalty": penalty.detach(),
        }

    @torch.inference_mode()
    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Per image (B,): loss at the present beta, its parts, MSE per pixel on [0, 1], PSNR in dB.

        Of corrupted input, where there is a corruption, and then the input's own MSE and what was
        gained in PSNR too. Where codes have a posterior, loss and parts are those of codes drawn
        from it, as in training, and MSE and PSNR those of the image of its mean; in nats per image
        there are also its `kl` to N(0, I) and the `elbo`, the lower bound on log p(x), whatever the
        loss (Kingma & Welling 2014, equation 3).
        """
        given = self._corrupted(images)
        result = self.autoencoder(given, labels, **self.stage)
        measured = self._expected(result, images, labels)
        measured["mse"] = squared_error(self.reconstruction.image(result.output.float()), images)
        measured["psnr"] = psnr(measured["mse"])
        if self.corruption:
            measured["corrupted_mse"] = squared_error(given.clamp(-1, 1), images)
            measured["psnr_gain"] = measured["psnr"] - psnr(measured["corrupted_mse"])
        return measured

    def _expected(
        self, result: Reconstructed, images: Tensor, labels: Mapping[str, Tensor]
    ) -> Losses:
        """Loss and parts (B,), in expectation over the code's posterior where it has one."""
        code, bottleneck = result.code, self.autoencoder.bottleneck
        posterior = bottleneck.posterior(code) if code else None
        if code is None or posterior is None:
            return self._compared(result, images)
        given = self.condition(labels) if self.condition else None
        kl = kl_divergence(posterior, _STANDARD).sum(1)
        draws = []
        for _ in range(self.validation_draws):
            drawn = bottleneck.draw(code)
            output = self.autoencoder.decode(drawn.values, given)
            measured = self._compared(Reconstructed(output, images, drawn), images)
            measured["elbo"] = self.reconstruction.log_probability(output, images) - kl
            draws.append(measured)
        means = {name: torch.stack([each[name] for each in draws]).mean(0) for name in draws[0]}
        return means | {"kl": kl}

    def _compared(self, result: Reconstructed, images: Tensor) -> Losses:
        """Loss and parts (B,) of the output of one code."""
        error = self.reconstruction(result.output, images)
        penalty = self._penalty(result.code, error).expand_as(error)
        loss = error + self._weight(images) * penalty
        return {"loss": loss, "reconstruction": error, "code_penalty": penalty}

    @torch.inference_mode()
    def log_likelihood(
        self, images: Tensor, labels: Mapping[str, Tensor], samples: int
    ) -> Tensor | None:
        """Importance-weighted estimate of log p(x) in nats, pixels on [0, 1], (B,).

        Burda, Grosse, Salakhutdinov 2016, equation 8, https://arxiv.org/abs/1509.00519. None where
        codes have no posterior.
        """
        bottleneck = self.autoencoder.bottleneck
        posterior = bottleneck.posterior(self.autoencoder.encode(images, labels))
        if posterior is None:
            return None
        condition = self.condition
        given = condition(labels) if condition else None
        weights = []
        for _ in range(samples):
            values = posterior.sample()
            output = self.autoencoder.decode(values, given)
            likelihood = self.reconstruction.log_probability(output, images)
            prior, proposal = _STANDARD.log_prob(values), posterior.log_prob(values)
            weights.append(likelihood + (prior - proposal).sum(1))
        return torch.stack(weights).logsumexp(0) - math.log(samples)

    @torch.inference_mode()
    def encode(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """(B, C, H, W) in [-1, 1] to what the bottleneck says of each image; "values" (B, codes).

        Everything is the code's mean where it has one.
        """
        code = self.autoencoder.encode(images, labels)
        return code._asdict()

    @torch.inference_mode()
    def reconstruct(self, images: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """(B, C, H, W) in [-1, 1] to the image of its code, same shape and range."""
        output = self.autoencoder(images, labels, **self.stage).output
        return self.reconstruction.image(output.float())

    def views(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The images, corrupted where the run corrupts, and what is made of them."""
        if not self.corruption:
            return {"image": images, "reconstruction": self.reconstruct(images, labels)}
        corrupted = self._corrupted(images)
        restored = self.reconstruct(corrupted, labels)
        return {"image": images, "corrupted": corrupted, "restored": restored}

    def latents(self, count: int, generator: torch.Generator, labels: Chosen) -> Tensor:
        """(count, codes + condition) draws from the prior, on the CPU."""
        values = self.autoencoder.bottleneck.prior(count, generator)
        return drawn_with_labels(values, self.condition, generator, labels)

    def labels_of(self, latents: Tensor) -> dict[str, Tensor]:
        """The labels (B,) that latents of a conditional model carry, by name."""
        return labels_behind(latents, self.condition)

    def generate(self, latents: Tensor) -> Tensor:
        """(B, codes + condition) to images (B, C, H, W) in [-1, 1]."""
        # A condition follows the code, as the decoder takes it.
        return self.reconstruction.image(self.autoencoder.decode(latents).float())

    def _corrupted(self, images: Tensor) -> Tensor:
        return self.corruption(images, -1.0, 1.0) if self.corruption else images

    def _weight(self, images: Tensor) -> float:
        """The penalty's weight now, for images (B, C, H, W)."""
        values = images[0].numel() if self.penalty_per_value else 1
        return self.beta(self.images_seen) / values

    def _penalty(self, code: object | None, error: Tensor) -> Tensor:
        """The penalty per image or, like `error`, as a mean; 0 where no code was made."""
        if code is None:
            return torch.zeros_like(error)
        penalty = self.code_penalty(code)
        return penalty if error.ndim else penalty.mean()


_STANDARD = Normal(0.0, 1.0)
_of_features = SquaredError()
