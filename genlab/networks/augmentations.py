"""What a critic's images go through, real and generated ones alike, so that it cannot learn the
training set by heart. Everything passes gradients on to the generator.

Images are (B, C, H, W) in [-1, 1]; noise is drawn from torch's default generator.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Augmentation(nn.Module):
    """Images to images of the same shape."""

    def observe(self, real_signs: Tensor, images: int) -> None:
        """Learn from the mean sign of the logits of a step's reals, a scalar in [-1, 1].

        Args:
            real_signs: the mean.
            images: reals of the step, over all ranks.
        """


class DifferentiableAugmentation(Augmentation):
    """Colour, translation and cutout at full strength (DiffAugment).

    Zhao et al. 2020, section 4, https://arxiv.org/abs/2006.10738: brightness +-.5 on [0, 1],
    saturation times 0 to 2, contrast times .5 to 1.5; shifts of up to an eighth of the picture,
    filled with black; a square of half its width set to grey.

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
            images = images + _uniform(images, -1.0, 1.0)
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
    done in one bilinear resampling. p moves by `images / speed_images` towards more where the mean
    sign of the reals' logits is above `target`, else towards less, every `interval` steps.

    Args:
        target: of the mean sign r_t.
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
        if not 0 <= p <= 1:
            raise ValueError(f"p={p} must be from 0 to 1")
        if speed_images < 1 or interval < 1:
            raise ValueError(f"speed_images={speed_images}, interval={interval} must be at least 1")
        self.target = target
        self.speed_images = speed_images
        self.interval = interval
        self.p = nn.Buffer(torch.tensor(float(p)))
        self.signs = nn.Buffer(torch.tensor(0.0))
        self.images = nn.Buffer(torch.tensor(0))
        self.steps = nn.Buffer(torch.tensor(0))

    @torch.no_grad()
    def observe(self, real_signs: Tensor, images: int) -> None:
        """Add a step's mean sign; adjust p when due."""
        self.signs.add_(real_signs)
        self.images.add_(images)
        self.steps.add_(1)
        if self.steps >= self.interval:
            step = self.images / self.speed_images
            self.p.add_(torch.sign(self.signs / self.steps - self.target) * step)
            self.p.clamp_(0.0, 1.0)
            for total in (self.signs, self.images, self.steps):
                total.zero_()

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return self._coloured(self._moved(images))

    def _moved(self, images: Tensor) -> Tensor:
        count, side = len(images), images.shape[-1]
        matrix = torch.eye(3, device=images.device).repeat(count, 1, 1)
        matrix = _scale(1 - 2 * self._chosen(count, torch.randint(2, (count,)))) @ matrix
        turns = self._chosen(count, torch.randint(4, (count,)))
        matrix = _rotation(turns * (math.pi / 2)) @ matrix
        # Whole pixels of up to an eighth; grid coordinates are 2 wide.
        whole = torch.round((torch.rand(2, count) * 2 - 1) * 0.125 * side) * 2 / side
        matrix = _shift(self._chosen(count, whole[0]), self._chosen(count, whole[1])) @ matrix
        zoom = torch.exp2(self._chosen(count, torch.randn(count)) * 0.2)
        matrix = _scale(zoom, zoom) @ matrix
        stretch = torch.exp2(self._chosen(count, torch.randn(count)) * 0.2)
        angle = self._chosen(count, torch.rand(count) * 2 - 1) * math.pi
        matrix = _rotation(angle) @ _scale(stretch, 1 / stretch) @ matrix
        shift = torch.randn(2, count) * 0.125 * 2
        matrix = _shift(self._chosen(count, shift[0]), self._chosen(count, shift[1])) @ matrix
        matrix = matrix.to(images.device)
        where = F.affine_grid(matrix[:, :2], list(images.shape), align_corners=False)
        return F.grid_sample(images.float(), where, padding_mode="reflection", align_corners=False)

    def _coloured(self, images: Tensor) -> Tensor:
        count = len(images)

        def each(values: Tensor) -> Tensor:
            return self._chosen(count, values).to(images.device).view(-1, 1, 1, 1)

        images = images + each(torch.randn(count) * 0.2) * 2
        images = images * torch.exp2(each(torch.randn(count)) * 0.5)
        grey = images.mean(1, True)
        images = images - 2 * grey * each(torch.randint(2, (count,)).float())  # flips the luma
        grey = images.mean(1, True)
        return grey + (images - grey) * torch.exp2(each(torch.randn(count)))

    def _chosen(self, count: int, values: Tensor) -> Tensor:
        """(count,) values where a coin of probability p says so, else 0."""
        return values * (torch.rand(count) < self.p.cpu())


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(len(images), 1, 1, 1, device=images.device)


def _translated(images: Tensor) -> Tensor:
    """Shifted by whole pixels, each picture by its own, black coming in."""
    count, _, height, width = images.shape
    reach = round(width / 8)
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
    return torch.where(inside[..., None], moved, -1.0).permute(0, 3, 1, 2)


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


def _shift(x: Tensor, y: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix
