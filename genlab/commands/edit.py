"""`genlab edit`: pictures changed along directions in the space of codes, and sums of codes."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from genlab.commands.loading import load_run_for
from genlab.commands.outputs import destination, keep_others
from genlab.drawing.pictures import (
    grid,
    save_png,
    with_both_captions,
    with_caption,
    with_column_captions,
)
from genlab.drawing.sheets import beside
from genlab.editing.attributes import Targets, having, showing
from genlab.editing.editor import Bench
from genlab.editing.expressions import Term, asked, parse
from genlab.editing.space import space_of
from genlab.errors import ConfigError
from genlab.io.files import write_text
from genlab.latent import Step
from genlab.runs.loaded import LoadedRun
from genlab.settings.edit import Edit
from genlab.settings.fields import seeds_of
from genlab.words import near_miss

log = logging.getLogger(__name__)

COMPONENTS = ("pca", "factorised")


def run(settings: Edit) -> None:
    """Find the direction or add the sum up, draw, measure."""
    _check(settings)
    settings = replace(settings, seeds=seeds_of(settings.seeds))
    loaded = load_run_for(settings, "direction=pca")
    keep_others([_path(settings, loaded, *names) for names in _results(settings)], settings)
    bench = Bench(space_of(loaded), settings)
    if settings.expression is not None:
        _add_up(bench, str(settings.expression))
    elif settings.direction in COMPONENTS:
        _components(bench, settings.direction)
    else:
        _slide(bench, str(settings.direction))


def _check(settings: Edit) -> None:
    if (settings.direction is None) == (settings.expression is None):
        raise ConfigError(
            "say what to edit: either direction=LABEL, pca or factorised, or a sum such as "
            "'with_LABEL - without_LABEL + 7'"
        )
    if settings.direction in COMPONENTS and settings.codes < 2:
        raise ConfigError(f"codes={settings.codes}: directions are found from 2 codes or more")


def _slide(bench: Bench, word: str) -> None:
    """Seeds as rows, strengths of the step to an attribute as columns."""
    classes = bench.space.loaded.description.classes
    if ":" not in word and word not in classes:
        near = near_miss(word, [*COMPONENTS, *classes])
        raise ConfigError(
            f"direction={word}: neither {' nor '.join(COMPONENTS)} nor a label of the data{near}"
        )
    attribute = showing(classes, word) if ":" in word else having(classes, word)
    step, targets = bench.change(attribute), {attribute: True}
    strength = _strength(bench, step, targets)
    _strip(bench, step, attribute.name, word, "steps", widest=1.5 * strength)

    def slide(codes: Tensor) -> Tensor:
        return bench.stepped(codes, step, strength)

    _write_report(bench, word, strength, bench.report(slide, targets))


def _components(bench: Bench, method: str) -> None:
    """The first directions that codes vary in most, or that layers magnify most: a strip each."""
    for number, step in enumerate(bench.components(method, bench.settings.count), 1):
        about = f"{method} component {number}"
        _strip(bench, step, about, f"{method}_{number}", "standard deviations", widest=3)


def _strip(bench: Bench, step: Step, about: str, name: str, unit: str, widest: float) -> None:
    seeds, given = bench.settings.seeds, bench.settings.strengths
    strengths = widest / 3 * torch.arange(-3, 4) if given == "auto" else torch.tensor(given).float()
    codes = bench.moved(bench.space.of_seeds(seeds), step, strengths)
    sheet = with_both_captions(
        grid(bench.pictures(codes.flatten(0, 1)), len(strengths)),
        [f"seed {seed}" for seed in seeds],
        [f"{strength:.3g}" for strength in strengths.tolist()],
    )
    _save(bench, with_caption(sheet, f"{about}: {unit} of each column"), name)


def _add_up(bench: Bench, expression: str) -> None:
    """A sum of mean codes of sets and codes of seeds beside its operands, and what its sets do.

    The drawn codes' mean is the origin, so that factors need not sum to 1.
    """
    terms = parse(expression, bench.space.loaded.description.classes)
    targets = asked(terms)
    mean = bench.codes.mean(0)
    operands, step = _operands(bench, terms, mean)
    strength = _strength(bench, step, targets) if targets else 0.0
    start = mean.clone()
    for term, operand in zip(terms, operands, strict=True):
        if term.attribute is None:
            start += term.factor * (operand - mean)
    starts = torch.cat([start[None], bench.space.of_seeds(bench.settings.seeds)])
    edit = bench.editor(step, targets, strength) if targets else None
    ends = edit(starts) if edit else starts
    pictures = bench.pictures(torch.stack([*operands, ends[0]]))
    captions = [_sign(number, term) + term.word for number, term in enumerate(terms)]
    sheet = with_column_captions(grid(pictures, len(pictures), margin=6), [*captions, "="])
    about = f"{expression}; sets {strength:g} times" if targets else expression
    _save(bench, with_caption(sheet, about), expression)
    if edit:
        _pairs(bench, starts, ends, expression)
        _write_report(bench, expression, strength, bench.report(edit, targets))


def _pairs(bench: Bench, starts: Tensor, ends: Tensor, expression: str) -> None:
    pairs = beside(bench.pictures(starts), bench.pictures(ends))
    seeds = ", ".join(map(str, bench.settings.seeds))
    caption = f"before and after: the sum, then seeds {seeds}"
    _save(bench, grid(pairs, 6, caption, apart=(2, 4)), f"{expression}_seeds")


def _operands(bench: Bench, terms: Sequence[Term], mean: Tensor) -> tuple[list[Tensor], Step]:
    """The code (layers, n) of every term, and the step that the sets add up to.

    The codes of a set and of its complement are apart by the change of their attribute alone, and
    the mean of all codes lies between them by their shares: what else is more frequent in the set
    is left out.
    """
    attributes = dict.fromkeys(term.attribute for term in terms if term.attribute)
    found = {attribute: bench.change(attribute) for attribute in attributes}
    operands, step = [], Step.constant(torch.zeros_like(bench.free[0, 0]))
    for term in terms:
        if term.attribute is None:
            operands.append(bench.space.of_seeds([term.seed or 0])[0])
            continue
        share = bench.share(term.attribute)
        part = ((1 - share) if term.held else -share) * found[term.attribute]
        operands.append(bench.moved(mean[None], part, torch.ones(1))[0, 0])
        step = step + term.factor * part
    return operands, step


def _strength(bench: Bench, step: Step, targets: Targets) -> float:
    """The strength that is set, or the one found."""
    given = bench.settings.strength
    if given != "auto":
        return float(given)
    found = bench.strength(step, targets)
    log.info("strength=%g", found)
    return found


def _sign(number: int, term: Term) -> str:
    sign = "- " if term.factor < 0 else "+ " if number else ""
    return sign + (f"{abs(term.factor):g} * " if abs(term.factor) != 1 else "")


def _results(settings: Edit) -> list[tuple[str, str]]:
    """Names and suffixes of the files that will be written."""
    if settings.expression is not None:
        sum_of = str(settings.expression)
        return [(sum_of, ".png"), (f"{sum_of}_seeds", ".png"), (sum_of, ".json")]
    word = str(settings.direction)
    if word in COMPONENTS:
        return [(f"{word}_{number}", ".png") for number in range(1, settings.count + 1)]
    return [(word, ".png"), (word, ".json")]


def _path(settings: Edit, loaded: LoadedRun, name: str, suffix: str) -> Path:
    slug = re.sub(r"\W+", "_", f"edit_{name}").strip("_")
    slug += loaded.folder.tag
    return destination(settings.out, loaded.folder, slug, suffix)


def _save(bench: Bench, picture: Image.Image, name: str) -> None:
    path = _path(bench.settings, bench.space.loaded, name, ".png")
    save_png(picture, path)
    log.info("wrote %s", path)


def _write_report(bench: Bench, name: str, strength: float, shares: Mapping[str, Any]) -> None:
    path = _path(bench.settings, bench.space.loaded, name, ".json")
    write_text(path, json.dumps({"strength": strength, **shares}, indent=2) + "\n")
    log.info("wrote %s", path)
