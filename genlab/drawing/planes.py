"""Images at points of a plane: as dots coloured by a label, and as thumbnails."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from genlab.drawing.figures import new_figure, rendered
from genlab.drawing.image_grid import shortened, to_image, with_caption

_MOST_CLASSES = 20
_OTHERS = (0.82, 0.82, 0.82, 1)
_LIGHT_GREY = 15  # in tab20, too similar to the colour of other classes
_CANVAS = 1400
_FLATTEST = 0.4
_THUMBNAIL = 40
_LARGEST_THUMBNAIL = 64


def scatter(
    points: np.ndarray,
    title: str,
    axes: tuple[str, str],
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
) -> Image.Image:
    """Points (N, 2), coloured by labels (N,) if there are any, with a legend of classes.

    The 20 classes with the most points have their own colours, all others are grey. Axes without a
    name have no ticks either.
    """
    figure = new_figure(9, 7.5)
    plot = figure.add_subplot()
    area = float(np.clip(16_000 / len(points), 6, 60))
    colours, legend = _colours(labels, classes, len(points))
    order = np.random.default_rng(0).permutation(len(points))  # so that no class hides another
    across, upwards = points[order].T
    plot.scatter(across, upwards, s=area, c=colours[order], alpha=0.8, linewidths=0)
    plot.set_aspect("equal", adjustable="datalim")
    plot.set_title(title, fontsize=13, pad=12)
    plot.set_xlabel(axes[0], fontsize=11)
    plot.set_ylabel(axes[1], fontsize=11)
    plot.spines[["top", "right"]].set_visible(False)
    if not any(axes):
        plot.set_xticks([])
        plot.set_yticks([])
    _add_legend(figure, legend)
    return rendered(figure)


def over_density(points: np.ndarray, reals: np.ndarray, title: str) -> Image.Image:
    """Points (N, 2) of [-1, 1] over the density of real ones, (M, 2)."""
    figure = new_figure(5, 5.4)
    plot = figure.add_subplot()
    bins = [np.linspace(-1, 1, 101)] * 2
    plot.hist2d(reals[:, 0], reals[:, 1], bins=bins, cmap="Greys", norm="symlog")
    plot.scatter(points[:, 0], points[:, 1], s=9, c="tab:red", alpha=0.5, linewidths=0)
    plot.set_aspect("equal")
    plot.set(xlim=(-1, 1), ylim=(-1, 1), title=title)
    plot.title.set_fontsize(10)
    return rendered(figure)


def thumbnails(points: np.ndarray, images: Tensor, title: str) -> Image.Image:
    """Images uint8 (N, C, H, W) at their points (N, 2), without those that would cover others.

    Earlier images take precedence; the second coordinate grows upwards.
    """
    width = images.shape[3]
    side = min(width * max(1, round(_THUMBNAIL / width)), _LARGEST_THUMBNAIL)
    offsets = points - points.min(0)
    offsets *= _CANVAS / max(offsets.max(), 1e-12)  # one scale for both axes
    # A very flat plane gets a margin, so that the figure is readable.
    room = np.maximum(offsets.max(0), _FLATTEST * _CANVAS)
    offsets += (room - offsets.max(0)) / 2
    offsets[:, 1] = room[1] - offsets[:, 1]
    corners = np.round(offsets).astype(int)
    sheet = Image.new("RGB", (int(room[0]) + side, int(room[1]) + side), "white")
    placed = _apart(corners, side)
    for index in placed:
        image = to_image(images[index]).convert("RGB")
        left, top = corners[index].tolist()
        sheet.paste(_resized(image, side), (left, top))
    return with_caption(sheet, f"{title}: {len(placed):,} of {len(images):,} shown")


def _colours(
    labels: np.ndarray | None, classes: Sequence[str], count: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """The colours of the points, RGBA (N, 4), and of the names in the legend."""
    from matplotlib import colormaps

    if labels is None:
        return np.tile(colormaps["tab10"](0), (count, 1)), {}
    counts = np.bincount(labels, minlength=len(classes))
    present = np.flatnonzero(counts)
    frequent = np.sort(present[np.argsort(-counts[present], kind="stable")][:_MOST_CLASSES])
    colour_map = colormaps["tab10" if len(frequent) <= 10 else "tab20"]
    palette = [colour_map(number) for number in range(colour_map.N)]
    if len(palette) > _LIGHT_GREY:
        palette[_LIGHT_GREY] = (0, 0, 0, 1)
    colours = np.tile(_OTHERS, (count, 1))
    legend = {}
    for number, label in enumerate(frequent):
        legend[classes[label]] = palette[number]
        colours[labels == label] = legend[classes[label]]
    if len(present) > len(frequent):
        legend[f"{len(present) - len(frequent)} others"] = _OTHERS
    return colours, legend


def _add_legend(figure: Any, legend: dict[str, Any]) -> None:
    """Names and their colours to the right of the plot."""
    from matplotlib.lines import Line2D

    if not legend:
        return
    marks = [Line2D([], [], ls="", marker="o", ms=7, mew=0, color=c) for c in legend.values()]
    figure.legend(
        marks, list(map(shortened, legend)), loc="outside right upper", frameon=False, fontsize=10
    )


def _apart(corners: np.ndarray, side: int) -> list[int]:
    """Indices of squares at corners (N, 2) that do not overlap; earlier ones take precedence."""
    placed: list[int] = []
    taken = np.empty((0, 2), int)
    for index, corner in enumerate(corners):
        if not (np.abs(taken - corner).max(1, initial=0) < side).any():
            placed.append(index)
            taken = np.vstack([taken, corner])
    return placed


def _resized(image: Image.Image, side: int) -> Image.Image:
    enlarge = side >= image.width
    way = Image.Resampling.NEAREST if enlarge else Image.Resampling.LANCZOS
    return image.resize((side, side), way)
