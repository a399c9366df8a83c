"""What a translator is given of an image, and how its output becomes an image.

A view takes images (B, C, H, W) in [-1, 1] to what is given, (B, given, H / scale, W / scale), and
draws from torch's default generator. What a view leaves out is what the translator has to make.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab import bounds

KINDS = ("centre", "box", "free_form")


class View(ABC):
    """Part of an image; an image in full is made of it and of a translator's output."""

    names: ClassVar[tuple[str, str]]
    """What is given and what is made of it, for captions and files."""
    command: ClassVar[str] = "translate"
    """The command that applies a translator with this view to files."""

    @property
    def scale(self) -> int:
        """Side of an image over the side of what is given."""
        return 1

    @abstractmethod
    def channels(self, channels: int) -> int:
        """Channels of what is given of images with so many."""

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] to what is given."""

    @abstractmethod
    def naive(self, given: Tensor, channels: int) -> Tensor:
        """The image (B, channels, H, W) that needs no learning."""

    def complete(self, given: Tensor, output: Tensor) -> Tensor:
        """The image (B, C, H, W) of a translator's output of the same shape."""
        return output


@dataclass(frozen=True)
class Shrunk(View):
    """The image reduced to 1 / factor of its sides, for super-resolution.

    By antialiased bicubic filtering and rounding to 256 levels, as a file would have it. The
    translator's output is added to the bicubic enlargement, which is also the naive image.

    Args:
        resolution: of the images.
        factor: 2, 4 or 8.
    """

    resolution: int
    factor: int = 4
    names = ("small", "upscaled")
    command: ClassVar[str] = "upscale"

    def __post_init__(self) -> None:
        if self.factor not in (2, 4, 8):
            raise ValueError(f"factor={self.factor} must be 2, 4 or 8")
        if self.resolution % self.factor:
            raise ValueError(
                f"factor={self.factor} does not divide {self.resolution} pixels: set "
                "data.resolution to a multiple of it"
            )

    @property
    def scale(self) -> int:
        """The factor."""
        return self.factor

    def channels(self, channels: int) -> int:
        """The image's."""
        return channels

    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H / factor, W / factor)."""
        height, width = images.shape[-2:]
        size = height // self.factor, width // self.factor
        small = F.interpolate(images.float(), size, mode="bicubic", antialias=True)
        return ((small.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1

    def naive(self, given: Tensor, channels: int) -> Tensor:
        """Bicubic enlargement."""
        large = F.interpolate(given.float(), scale_factor=float(self.factor), mode="bicubic")
        return large.clamp(-1, 1)

    def complete(self, given: Tensor, output: Tensor) -> Tensor:
        """The enlargement plus the output."""
        return self.naive(given, output.shape[1]) + output.float()


@dataclass(frozen=True)
class Holes(View):
    """The image with a hole, and a further channel that is 1 where it is and 0 elsewhere.

    Pathak et al. 2016, https://arxiv.org/abs/1604.07379, for the central and the random box; Yu et
    al. 2019, section 3.2, https://arxiv.org/abs/1806.03589, for free-form strokes.

    Args:
        kind: centre (always the same square), box (a rectangle anywhere) or free_form (strokes).
        share: of the image's area that a centre or box takes; strokes take about as much.
    """

    kind: str = "centre"
    share: float = 0.25
    names = ("image with a hole", "filled")
    command: ClassVar[str] = "inpaint"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r} is none of {', '.join(KINDS)}")
        bounds.between(0, 1, share=self.share)

    def channels(self, channels: int) -> int:
        """The image's and that of the hole."""
        return channels + 1

    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C + 1, H, W), with holes drawn anew for a box and for strokes."""
        draw = {"centre": self._centre, "box": self._box, "free_form": self._strokes}[self.kind]
        return self.given(images, draw(images))

    @staticmethod
    def given(images: Tensor, holes: Tensor) -> Tensor:
        """Images (B, C, H, W) without the pixels where holes (B, 1, H, W) are 1, and the holes."""
        return torch.cat([images * (1 - holes), holes], 1)

    def naive(self, given: Tensor, channels: int) -> Tensor:
        """The hole filled with the mean colour of the pixels around."""
        images, holes = given[:, :-1], given[:, -1:]
        known = (1 - holes).sum((2, 3), keepdim=True).clamp(min=1)
        return torch.where(holes > 0, images.sum((2, 3), keepdim=True) / known, images)

    def complete(self, given: Tensor, output: Tensor) -> Tensor:
        """The output in the hole, the image's own pixels elsewhere."""
        return torch.where(given[:, -1:] > 0, output.to(given.dtype), given[:, :-1])

    def _centre(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        root = math.sqrt(self.share)
        sides = (max(1, round(height * root)), max(1, round(width * root)))
        top, left = (height - sides[0]) // 2, (width - sides[1]) // 2
        holes = torch.zeros_like(images[:, :1])
        holes[:, :, top : top + sides[0], left : left + sides[1]] = 1
        return holes

    def _box(self, images: Tensor) -> Tensor:
        """Boxes of an aspect from 1:2 to 2:1, each wholly inside its image."""
        count, _, height, width = images.shape
        draws = torch.rand(3, count, 1, 1, device=images.device)
        aspect = 2 ** (draws[0] - 0.5)
        high = (height * math.sqrt(self.share) * aspect).round().clamp(1, height)
        wide = (width * math.sqrt(self.share) / aspect).round().clamp(1, width)
        top = (draws[1] * (height - high + 1)).floor()
        left = (draws[2] * (width - wide + 1)).floor()
        rows = torch.arange(height, device=images.device)[:, None]
        columns = torch.arange(width, device=images.device)
        inside = (rows >= top) & (rows < top + high) & (columns >= left) & (columns < left + wide)
        return inside[:, None].to(images.dtype)

    def _strokes(self, images: Tensor, strokes: int = 3, turns: int = 4) -> Tensor:
        """Broad lines that turn at random; their width is such that they take the share."""
        count, _, height, width = images.shape
        points = torch.rand(count, strokes, turns + 1, 2, device=images.device)
        # A walk: every turn is at most a third of the image away from the one before.
        steps = torch.cat([points[:, :, :1], (points[:, :, 1:] - 0.5) * 2 / 3], 2)
        walk = steps.cumsum(2).clamp(0, 1).flatten(1, 1)
        begin, end = walk[:, :, :-1].flatten(1, 2), walk[:, :, 1:].flatten(1, 2)  # (B, S, 2)
        grid = torch.stack(
            torch.meshgrid(
                (torch.arange(height, device=images.device) + 0.5) / height,
                (torch.arange(width, device=images.device) + 0.5) / width,
                indexing="ij",
            ),
            -1,
        ).flatten(0, 1)
        along = end - begin
        offset = grid[None, None] - begin[:, :, None]  # (B, S, H W, 2)
        length = along.square().sum(-1).clamp(min=1e-8)[..., None]
        place = ((offset * along[:, :, None]).sum(-1) / length).clamp(0, 1)
        apart = (offset - place[..., None] * along[:, :, None]).square().sum(-1).amin(1)
        # The widest distance that a hole of the wanted share reaches, image by image.
        reach = apart.quantile(self.share, 1, keepdim=True)
        return (apart <= reach).to(images.dtype).view(count, 1, height, width)


@dataclass(frozen=True)
class Grey(View):
    """The luminance of the image, for colouring (ITU-R BT.601)."""

    names = ("grey", "coloured")

    def channels(self, channels: int) -> int:
        """One."""
        return 1

    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 1, H, W)."""
        return luminance(images)

    def naive(self, given: Tensor, channels: int) -> Tensor:
        """The same grey in all channels."""
        return given.expand(-1, channels, -1, -1)


@dataclass(frozen=True)
class Outline(View):
    """A drawing of the image's edges, dark on white: Sobel's gradient of the luminance.

    Args:
        contrast: a step of 1 / contrast of the range from black to white becomes a black line.
    """

    contrast: float = 4.0
    names = ("outline", "painted")

    def __post_init__(self) -> None:
        bounds.above(0, contrast=self.contrast)

    def channels(self, channels: int) -> int:
        """One."""
        return 1

    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 1, H, W)."""
        kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=images.device) / 8
        kernels = torch.stack([kernel, kernel.mT])[:, None]
        padded = F.pad(luminance(images), (1, 1, 1, 1), mode="replicate")
        edges = F.conv2d(padded, kernels).square().sum(1, keepdim=True).sqrt()
        return 1 - 2 * (edges * self.contrast).clamp(0, 1)

    def naive(self, given: Tensor, channels: int) -> Tensor:
        """The drawing itself."""
        return given.expand(-1, channels, -1, -1)


def luminance(images: Tensor) -> Tensor:
    """(B, C, H, W), grey or RGB, to (B, 1, H, W)."""
    images = images.float()
    if images.shape[1] == 1:
        return images
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device)
    return (images * weights[:, None, None]).sum(1, keepdim=True)
