"""Random changes of all images that a critic sees, so that it cannot learn the training set by
heart. Gradients pass to the generator.

Images are (B, C, H, W) in [-1, 1]; noise is drawn from torch's default generators.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.objectives.adversarial import certainty
from genlab.remedies.remedy import CriticStep, Remedy
from genlab.remedies.transformations import coloured, cut_out, moved, translated, uniform


class DifferentiableAugmentation(Remedy):
    """Colour, translation and cutout at full strength (DiffAugment).

    Zhao et al. 2020, section 4, https://arxiv.org/abs/2006.10738, with the strengths of their
    program: brightness +-.5 on [-1, 1], saturation times 0 to 2, contrast times .5 to 1.5; shifts
    of up to an eighth of the image, grey coming in; a square of half its width set to grey.

    Args:
        colour, translation, cutout: which of them.
    """

    def __init__(self, colour: bool = True, translation: bool = True, cutout: bool = True) -> None:
        super().__init__()
        self.colour = colour
        self.translation = translation
        self.cutout = cutout

    def show(self, images: Tensor, images_seen: int) -> Tensor:
        """The images, changed."""
        return self.forward(images)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        if self.colour:
            images = images + uniform(images, -0.5, 0.5)
            images = torch.lerp(images.mean(1, True), images, uniform(images, 0.0, 2.0))
            centre = images.mean((1, 2, 3), True)
            images = torch.lerp(centre, images, uniform(images, 0.5, 1.5))
        if self.translation:
            images = translated(images)
        return cut_out(images) if self.cutout else images


class AdaptiveAugmentation(Remedy):
    """Every transformation with probability p, steered so that the critic does not overfit (ADA).

    Karras et al. 2020, section 3 and appendix B, https://arxiv.org/abs/2006.06676, with their
    pixel blitting, geometric and colour transformations ("bgc"); all of an image's geometry is
    done in one bilinear resampling, where theirs filters by wavelets. p moves by `images /
    speed_images` towards more where the critic is surer of its reals than `target`, else towards
    less, every `interval` steps.

    p and what counts steps are on the host, so that it waits for the device at adjustments only.

    Args:
        target: of the certainty r_t.
        speed_images: images in which p can go from 0 to 1.
        interval: steps between adjustments.
        p: the first p.
    """

    def __init__(
        self,
        target: float = 0.6,
        speed_images: int = 500_000,
        interval: int = 4,
        p: float = 0.0,
    ) -> None:
        super().__init__()
        bounds.within(0, 1, p=p)
        bounds.between(-1, 1, target=target)  # the certainty, a mean of signs, gets to neither
        bounds.whole(1, speed_images=speed_images)
        bounds.whole(1, bounds.RAREST, interval=interval)
        self.target = target
        self.speed_images = speed_images
        self.interval = interval
        self.p = float(p)
        self.signs = nn.Buffer(torch.tensor(0.0))
        self.images = 0
        self.steps = 0

    @torch.no_grad()
    def observe(self, certainty: Tensor, images: int) -> None:
        """Add a step's certainty, a scalar in [-1, 1], over so many reals; adjust p when due."""
        self.signs.add_(certainty)
        self.images += images
        self.steps += 1
        if self.steps >= self.interval:
            surer = float(self.signs) / self.steps - self.target
            step = math.copysign(self.images / self.speed_images, surer) if surer else 0.0
            self.p = min(max(self.p + step, 0.0), 1.0)
            self.signs.zero_()
            self.images = self.steps = 0

    def show(self, images: Tensor, images_seen: int) -> Tensor:
        """The images, changed."""
        return self.forward(images)

    def after_critic(self, step: CriticStep) -> None:
        """Take in how sure the critic was of the step's reals."""
        real, fake = (each.judgement.logits.detach() for each in (step.real, step.fake))
        sure = certainty(real, fake, step.relative)
        self.observe(step.mean(sure), step.batch_images)

    def logged(self) -> dict[str, Tensor]:
        """The probability of changes."""
        return {"augmentation_p": torch.full_like(self.signs, self.p)}

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        with torch.autocast(images.device.type, enabled=False):  # angles in bfloat16 are coarse
            return coloured(moved(images, self.p), self.p)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name, kind in _ON_HOST.items():
            destination[prefix + name] = torch.tensor(getattr(self, name), dtype=kind)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        *others: Any,
    ) -> None:
        for name in _ON_HOST:
            if prefix + name in state_dict:
                setattr(self, name, state_dict.pop(prefix + name).item())
            elif strict:
                missing_keys.append(prefix + name)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, *others
        )


_ON_HOST = {"p": torch.float64, "images": torch.int64, "steps": torch.int64}
"""State of `AdaptiveAugmentation` that is saved and loaded as if it were in buffers."""
