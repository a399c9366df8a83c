"""Generated images whose features in the critic match those of real ones."""

from typing import ClassVar

from torch import Tensor

from genlab import bounds
from genlab.remedies.remedy import GeneratorStep, Remedy


class FeatureMatching(Remedy):
    """The generator matches features (B, n) of real images in the critic as it then is.

    The squared distance of their means over the batch (Salimans et al. 2016, section 3.1,
    https://arxiv.org/abs/1606.03498), where the paper's `adversarial` is 0. Where each generated
    image has a real one as its target, as in translation, the mean absolute difference pair by
    pair (Wang et al. 2018, equation 3, https://arxiv.org/abs/1711.11585).

    Args:
        weight: its weight in the generator's loss.
    """

    compares: ClassVar[bool] = True

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        bounds.at_least(0, weight=weight)
        self.weight = weight

    def generator_loss(self, step: GeneratorStep) -> Tensor:
        """The weighted distance, a scalar."""
        assert step.real is not None
        real, fake = step.real.features, step.fake.features
        if step.paired:
            return self.weight * (real - fake).abs().mean()
        return self.weight * (real.mean(0) - fake.mean(0)).square().sum()
