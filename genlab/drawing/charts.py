"""Bar charts of several runs, curves, and histograms."""

from collections.abc import Mapping, Sequence

from PIL import Image

from genlab.drawing.figures import new_figure, rendered

_FEW = 20  # points that are marked each


def bars(scores: Mapping[str, Mapping[str, float]], metrics: Sequence[str]) -> Image.Image:
    """A small chart for each metric, with a bar for every run that has it."""
    columns = min(len(metrics), 3)
    rows = -(-len(metrics) // columns)
    height = 0.9 + 0.32 * len(scores)
    figure = new_figure(4.2 * columns, height * rows)
    colours = [f"C{number % 10}" for number in range(len(scores))]
    for number, metric in enumerate(metrics):
        plot = figure.add_subplot(rows, columns, number + 1)
        values = [_length(run.get(metric, 0.0)) for run in scores.values()]
        drawn = plot.barh(range(len(scores)), values, color=colours)
        shown = [f"{run[metric]:.4g}" if metric in run else "none" for run in scores.values()]
        plot.bar_label(drawn, shown, padding=3, fontsize=8)
        plot.margins(x=0.25)
        plot.set_title(metric, fontsize=10)
        names = list(scores) if number % columns == 0 else [""] * len(scores)
        plot.set_yticks(range(len(scores)), names, fontsize=8)
        plot.invert_yaxis()
        plot.spines[["top", "right"]].set_visible(False)
        plot.tick_params(axis="x", labelsize=7)
    return rendered(figure)


def curves(
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], across: str
) -> Image.Image:
    """Lines through points (x, y) by name, in panels by title beside each other.

    Args:
        across: the label of the x axis.
    """
    figure = new_figure(5.2 * len(panels), 3.6)
    for number, (title, lines) in enumerate(panels.items(), 1):
        plot = figure.add_subplot(1, len(panels), number)
        for name, points in lines.items():
            x, y = zip(*points, strict=True)
            plot.plot(x, y, label=name, marker="." if len(points) < _FEW else "", linewidth=1.2)
        plot.set_title(title, fontsize=10)
        plot.set_xlabel(across, fontsize=9)
        plot.tick_params(labelsize=8)
        plot.grid(alpha=0.3)
        plot.spines[["top", "right"]].set_visible(False)
        plot.legend(fontsize=8, frameon=False)
    return rendered(figure)


def _length(value: float) -> float:
    """The length of a bar: 0 for values that are too large for an axis."""
    return value if abs(value) < 1e30 else 0.0


def histogram(values: Mapping[str, Sequence[float]], title: str) -> Image.Image:
    """A histogram of several groups of values in the same 60 bins, as shares of each group."""
    import numpy as np

    figure = new_figure(6.4, 3.6)
    plot = figure.add_subplot()
    # A few very large values would squeeze all others into one bin.
    highest = max(np.quantile(group, 0.995) for group in values.values())
    lowest = min(min(group) for group in values.values())
    edges = np.linspace(lowest, max(highest, lowest + 1e-12), 61).tolist()
    for name, group in values.items():
        inside = np.minimum(group, edges[-1])
        weights = np.full(len(group), 1 / len(group))
        plot.hist(inside, edges, weights=weights, alpha=0.6, label=f"{name} ({len(group):,})")
    plot.set_xlabel(f"{title} (higher ones in the last bin)", fontsize=9)
    plot.set_ylabel("share", fontsize=9)
    plot.spines[["top", "right"]].set_visible(False)
    plot.tick_params(labelsize=8)
    plot.legend(fontsize=8, frameon=False)
    return rendered(figure)
