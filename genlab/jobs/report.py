"""Reports of many runs: metrics averaged over seeds, as a table and a plot over a setting."""

import logging
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genlab.config.parts import flatten
from genlab.config.run import Report
from genlab.console import say
from genlab.drawing.charts import bars
from genlab.drawing.figures import new_figure, rendered
from genlab.drawing.image_grid import save_png
from genlab.io.files import write_text

log = logging.getLogger(__name__)


Curves = dict[str, dict[Any, "Point"]]


class Point(NamedTuple):
    """Mean and standard deviation of `runs` values."""

    mean: float
    deviation: float
    runs: int


def write_report(
    wanted: Report,
    runs: Sequence[tuple[Mapping[str, Any], Mapping[str, float]]],
    folder: Path,
) -> None:
    """Write report.md and report.png into `folder` and print the table.

    Args:
        wanted: `metric`, the setting `across` on the x axis, the settings that distinguish
            `curves`, and optionally the curve that is the `baseline`. Means are over seeds;
            differences to the baseline are computed seed by seed.
        runs: config and metrics of each run.
        folder: of the multirun.
    """
    curves, differences = _curves(wanted, runs)
    if not curves:
        return
    places = sorted({place for points in curves.values() for place in points}, key=_order)
    rows = [
        [
            name,
            *(_cell(points[place]) if place in points else "" for place in places),
        ]
        for name, points in (curves | differences).items()
    ]
    header = [f"{wanted.metric} by {wanted.across}", *map(str, places)]
    _plot(wanted, curves, places, folder / "report.png")
    _write_lines(header, rows, folder)


def write_table(
    metrics: Sequence[str], runs: Sequence[tuple[str, Mapping[str, float]]], folder: Path
) -> None:
    """Write report.md and report.png with a row for every name, and print the table.

    Args:
        metrics: the columns; values are means and deviations over the runs of one name.
        runs: name and metrics of each run.
        folder: of the multirun.
    """
    values: dict[str, dict[str, list[float]]] = {}
    for name, found in runs:
        for metric in metrics:
            if metric in found:
                values.setdefault(name, {}).setdefault(metric, []).append(found[metric])
    if not values:
        return
    points = {
        name: {metric: _point(numbers) for metric, numbers in of_name.items()}
        for name, of_name in values.items()
    }
    rows = [
        [name, *(_cell(of_name[m]) if m in of_name else "" for m in metrics)]
        for name, of_name in points.items()
    ]
    means = {
        name: {metric: point.mean for metric, point in of_name.items()}
        for name, of_name in points.items()
    }
    save_png(bars(means, metrics), folder / "report.png")
    _write_lines(["runs", *metrics], rows, folder)


def _write_lines(header: Sequence[str], rows: Sequence[Sequence[str]], folder: Path) -> None:
    lines = ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)]
    write_text(folder / "report.md", "\n".join(lines) + "\n")
    for line in lines:
        say(line)
    say(f"report: {folder / 'report.md'}, {folder / 'report.png'}")


def _curves(
    wanted: Report, runs: Sequence[tuple[Mapping[str, Any], Mapping[str, float]]]
) -> tuple[Curves, Curves]:
    """Mean and deviation of every curve, and of its differences to the baseline."""
    values: dict[str, dict[Any, dict[Any, float]]] = {}
    for config, metrics in runs:
        if wanted.metric not in metrics:
            continue
        name, place, seed = wanted.placed(dict(flatten(config)))
        of_place = values.setdefault(name, {}).setdefault(place, {})
        if seed in of_place:
            log.warning(
                "report: several runs of %s at %s=%s, seed %s; only the last one counts: add the "
                "setting in which they differ to report.curves",
                *(name, wanted.across, place, seed),
            )
        of_place[seed] = metrics[wanted.metric]
    curves = {
        name: {place: _point(list(seeds.values())) for place, seeds in points.items()}
        for name, points in values.items()
    }
    return curves, _differences(values, wanted.baseline)


def _differences(
    values: Mapping[str, Mapping[Any, Mapping[Any, float]]], baseline: str | None
) -> Curves:
    """Every other curve minus the baseline, seed by seed."""
    base = values.get(baseline or "", {})
    found: Curves = {}
    for name, points in values.items():
        for place, seeds in points.items():
            gains = [v - base[place][s] for s, v in seeds.items() if s in base.get(place, {})]
            if name != baseline and gains:
                found.setdefault(f"{name} minus {baseline}", {})[place] = _point(gains)
    return found


def _point(numbers: Sequence[float]) -> Point:
    deviation = statistics.stdev(numbers) if len(numbers) > 1 else 0.0
    return Point(statistics.mean(numbers), deviation, len(numbers))


def _cell(point: Point) -> str:
    return f"{point.mean:.4g} ± {point.deviation:.2g} ({point.runs})"


def _order(place: Any) -> tuple[bool, float, str]:
    number = isinstance(place, int | float)
    return (not number, place if number else 0.0, str(place))


def _plot(
    wanted: Report,
    curves: Mapping[str, Mapping[Any, Point]],
    places: Sequence[Any],
    path: Path,
) -> None:
    figure = new_figure(7, 4.5)
    axes = figure.add_subplot()
    positions = {place: i for i, place in enumerate(places)}
    for name, points in curves.items():
        axes.errorbar(
            [positions[place] for place in points],
            [point.mean for point in points.values()],
            yerr=[point.deviation for point in points.values()],
            marker="o",
            capsize=3,
            label=name,
        )
    axes.set_xticks(range(len(places)), [str(place) for place in places])
    axes.set_xlabel(wanted.across)
    axes.set_ylabel(wanted.metric)
    axes.grid(alpha=0.3)
    axes.legend()
    save_png(rendered(figure), path)
