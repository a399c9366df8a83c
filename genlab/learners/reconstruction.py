"""One player that rebuilds images from codes: every autoencoder."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from genlab.learners.learner import Learner, Losses, OptimizerFactory
from genlab.networks import Autoencoder
from genlab.objectives.reconstruction import Likelihood
from genlab.schedules import Schedule, as_schedule

CodePenalty = Callable[..., Tensor]


class Reconstruction(Learner):
    """Minimises reconstruction + beta * code penalty / values per image.

    The reconstruction error is a mean per pixel and channel, so the code penalty (nats per image)
    is divided by their number: with BinaryCrossEntropy and the Gaussian KL the loss at beta 1 is
    the negative ELBO in nats per pixel value.

    Args:
        autoencoder: encoder, bottleneck and decoder.
        reconstruction: the error of the decoder's output, and the picture it stands for.
        code_penalty: a function of the code, (B,) per image.
        beta: the penalty's weight, a number or a schedule (Higgins et al. 2017 for the KL).
        optimizer: makes the optimizer from parameters.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        reconstruction: Likelihood,
        code_penalty: CodePenalty,
        beta: float | Schedule,
        optimizer: OptimizerFactory,
    ) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.reconstruction = reconstruction
        self.code_penalty = code_penalty
        self.beta = as_schedule(beta)
        self.optimizer = optimizer

    @property
    def exported(self) -> nn.Module:
        """The autoencoder."""
        return self.autoencoder

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The one player's optimizer."""
        return [self.optimizer(self.autoencoder.parameters())]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Encode, decode, compare, step."""
        error, penalty = self._errors(images)
        error, penalty = error.mean(), penalty.mean()
        loss = error + self.beta(self.images_seen) * penalty / images[0].numel()
        self.descend(0, loss)
        return {
            "loss": loss.detach(),
            "reconstruction": error.detach(),
            "code_penalty": penalty.detach(),
        }

    @torch.inference_mode()
    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Per image (B,): loss at the final beta, error, penalty, and MSE on [0, 1]."""
        result = self.autoencoder(images)
        error = self.reconstruction(result.output, images)
        penalty = self.code_penalty(result.code)
        picture = self.reconstruction.picture(result.output.float())
        return {
            "loss": error + self.beta(self.images_seen) * penalty / images[0].numel(),
            "reconstruction": error,
            "code_penalty": penalty,
            "mse": (picture - images).square().flatten(1).mean(1) / 4,
        }

    @torch.inference_mode()
    def reconstruct(self, images: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] to the picture of its code's mean, same shape and range."""
        return self.reconstruction.picture(self.autoencoder(images).output.float())

    def latents(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, codes) draws from the prior, on the CPU."""
        return self.autoencoder.bottleneck.prior(count, generator)

    @torch.inference_mode()
    def generate(self, latents: Tensor) -> Tensor:
        """(B, codes) to pictures (B, C, H, W) in [-1, 1]."""
        return self.reconstruction.picture(self.autoencoder.decode(latents).float())

    def _errors(self, images: Tensor) -> tuple[Tensor, Tensor]:
        result = self.autoencoder(images)
        return self.reconstruction(result.output, images), self.code_penalty(result.code)
