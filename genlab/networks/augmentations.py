"""What a critic's images go through, real and generated ones alike, so that it cannot learn the
training set by heart. Everything passes gradients on to the generator.

Images are (B, C, H, W) in [-1, 1]; noise is drawn from torch's default generator.
"""

import functools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab import bounds


class Augmentation(nn.Module):
    """Images to images of the same shape."""

    def observe(self, certainty: Tensor, images: int) -> None:
        """Learn from a step of the critic.

        Args:
            certainty: how sure it is of the step's reals, a scalar in [-1, 1], see
                `objectives.adversarial.certainty`.
            images: reals of the step, over all ranks.
        """


class DifferentiableAugmentation(Augmentation):
    """Colour, translation and cutout at full strength (DiffAugment).

    Zhao et al. 2020, section 4, https://arxiv.org/abs/2006.10738, with the strengths of their
    program: brightness +-.5 on [-1, 1], saturation times 0 to 2, contrast times .5 to 1.5; shifts
    of up to an eighth of the picture, grey coming in; a square of half its width set to grey.

    Args:
        colour, translation, cutout: which of them.
    """

    def __init__(self, colour: bool = True, translation: bool = True, cutout: bool = True) -> None:
        super().__init__()
        self.colour = colour
        self.translation = translation
        self.cutout = cutout

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        if self.colour:
            images = images + _uniform(images, -0.5, 0.5)
            images = torch.lerp(images.mean(1, True), images, _uniform(images, 0.0, 2.0))
            centre = images.mean((1, 2, 3), True)
            images = torch.lerp(centre, images, _uniform(images, 0.5, 1.5))
        if self.translation:
            images = _translated(images)
        return _cut_out(images) if self.cutout else images


class AdaptiveAugmentation(Augmentation):
    """Every transformation with probability p, steered so that the critic does not overfit (ADA).

    Karras et al. 2020, section 3 and appendix B, https://arxiv.org/abs/2006.06676, with their
    pixel blitting, geometric and colour transformations ("bgc"); all of a picture's geometry is
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
        """Add a step's certainty; adjust p when due."""
        self.signs.add_(certainty)
        self.images += images
        self.steps += 1
        if self.steps >= self.interval:
            surer = float(self.signs) / self.steps - self.target
            step = math.copysign(self.images / self.speed_images, surer) if surer else 0.0
            self.p = min(max(self.p + step, 0.0), 1.0)
            self.signs.zero_()
            self.images = self.steps = 0

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        with torch.autocast(images.device.type, enabled=False):  # angles in bfloat16 are coarse
            return _coloured(_moved(images, self.p), self.p)

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


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(len(images), 1, 1, 1, device=images.device)


def _translated(images: Tensor) -> Tensor:
    """Shifted by whole pixels, each picture by its own, grey coming in."""
    count, _, height, width = images.shape
    reach = int(width / 8 + 0.5)
    rows, columns = (
        torch.randint(-reach, reach + 1, (count, 1), device=images.device)
        + torch.arange(size, device=images.device)
        for size in (height, width)
    )
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    which = torch.arange(count, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[
        which, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]
    ]
    return torch.where(inside[..., None], moved, 0.0).permute(0, 3, 1, 2)


def _cut_out(images: Tensor) -> Tensor:
    """A square of half the width, anywhere, also over the edge, set to grey."""
    count, _, height, width = images.shape
    half = width // 4
    masks = []
    for size in (height, width):
        centre = torch.randint(0, size, (count, 1), device=images.device)
        distance = torch.arange(size, device=images.device) - centre
        masks.append((distance >= -half) & (distance < width // 2 - half))
    hole = masks[0][:, None, :, None] & masks[1][:, None, None, :]
    return images.masked_fill(hole, 0.0)


def _moved(images: Tensor, p: float) -> Tensor:
    """Blitted and moved, every transformation with probability p.

    A matrix leads from places of the result, from -1 to 1, back to those of the picture: what is
    done to the picture first is the leftmost factor.
    """
    count, side = len(images), images.shape[-1]

    def chosen(values: Tensor, p: float = p) -> Tensor:
        return _chosen(values, p)

    turns = [chosen(torch.rand(count) * 2 - 1, 1 - math.sqrt(1 - p)) * math.pi for _ in range(2)]
    zoom = torch.exp2(chosen(torch.randn(count)) * 0.2)
    stretch = torch.exp2(chosen(torch.randn(count)) * 0.2)
    whole = torch.round((torch.rand(count, 2) * 2 - 1) * 0.125 * side) * 2 / side
    factors = (
        _scale(1 - 2 * chosen(torch.randint(2, (count,)))),
        _rotation(chosen(torch.randint(4, (count,))) * (math.pi / 2)),
        _shift(chosen(whole)),
        _scale(zoom, zoom),
        _rotation(turns[0]),
        _scale(stretch, 1 / stretch),
        _rotation(turns[1]),
        _shift(chosen(torch.randn(count, 2) * 0.125 * 2)),
    )
    matrix = functools.reduce(torch.matmul, factors).to(images.device)
    where = F.affine_grid(matrix[:, :2], list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), where, padding_mode="reflection", align_corners=False)


def _coloured(images: Tensor, p: float) -> Tensor:
    """Other colours, every transformation with probability p."""
    count = len(images)

    def each(values: Tensor) -> Tensor:
        return _chosen(values, p).to(images.device).view(-1, 1, 1, 1)

    images = images + each(torch.randn(count) * 0.2)
    images = images * torch.exp2(each(torch.randn(count)) * 0.5)
    images = images - 2 * images.mean(1, True) * each(torch.randint(2, (count,)))  # flips the luma
    hue = each((torch.rand(count) * 2 - 1) * math.pi)
    if images.shape[1] == 3:
        images = _turned(images, hue)
    grey = images.mean(1, True)
    return grey + (images - grey) * torch.exp2(each(torch.randn(count)))


def _turned(images: Tensor, angle: Tensor) -> Tensor:
    """Colours (B, 3, H, W) turned around the axis of greys by an angle (B, 1, 1, 1).

    Rodrigues: x cos + (k cross x) sin + k (k . x) (1 - cos), k the unit vector along (1, 1, 1).
    """
    across = (images.roll(1, 1) - images.roll(-1, 1)) / math.sqrt(3)
    grey = images.mean(1, True)
    return images * angle.cos() + across * angle.sin() + grey * (1 - angle.cos())


def _chosen(values: Tensor, p: float) -> Tensor:
    """(B, ...) values where a coin of probability p says so, one for each picture, else 0."""
    return values * (torch.rand(len(values), *[1] * (values.ndim - 1)) < p)


def _scale(x: Tensor, y: Tensor | None = None) -> Tensor:
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 0] = x
    if y is not None:
        matrix[:, 1, 1] = y
    return matrix


def _rotation(angle: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 1, 0] = angle.sin()
    matrix[:, 0, 1] = -angle.sin()
    return matrix


def _shift(offsets: Tensor) -> Tensor:
    """(B, 2), along x and y."""
    matrix = torch.eye(3).repeat(len(offsets), 1, 1)
    matrix[:, :2, 2] = offsets
    return matrix
