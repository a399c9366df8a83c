"""`genlab edit`: images edited along directions of the latent space, and sums of codes."""

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
from genlab.drawing.image_grid import (
    grid,
    save_png,
    with_both_captions,
    with_caption,
    with_column_captions,
)
from genlab.drawing.sheets import side_by_side
from genlab.editing.attribute_classifier import Targets, class_attribute, label_attribute
from genlab.editing.expressions import Term, attribute_targets, parse
from genlab.editing.latent_editor import LatentEditor
from genlab.editing.space import space_of
from genlab.errors import ConfigError
from genlab.io.files import write_text
from genlab.latent import LatentDirection
from genlab.runs.loaded import LoadedRun
from genlab.settings.edit import Edit
from genlab.settings.kinds import seeds_of
from genlab.words import near_miss

log = logging.getLogger(__name__)

COMPONENTS = ("pca", "factorised")


def run(settings: Edit) -> None:
    """Find the direction or compute the sum, draw the images, measure."""
    _check(settings)
    settings = replace(settings, seeds=seeds_of(settings.seeds))
    loaded = load_run_for(settings, "direction=pca")
    keep_others([_path(settings, loaded, *names) for names in _results(settings)], settings)
    editor = LatentEditor(space_of(loaded), settings)
    if settings.expression is not None:
        _add_up(editor, str(settings.expression))
    elif settings.direction in COMPONENTS:
        _components(editor, settings.direction)
    else:
        _slide(editor, str(settings.direction))


def _check(settings: Edit) -> None:
    if (settings.direction is None) == (settings.expression is None):
        raise ConfigError(
            "say what to edit: either direction=LABEL, pca or factorised, or a sum such as "
            "'with_LABEL - without_LABEL + 7'"
        )
    if settings.direction in COMPONENTS and settings.codes < 2:
        raise ConfigError(f"codes={settings.codes}: directions are found from 2 codes or more")


def _slide(editor: LatentEditor, word: str) -> None:
    """Draw seeds as rows and strengths of the direction to an attribute as columns."""
    classes = editor.space.loaded.description.classes
    if ":" not in word and word not in classes:
        near = near_miss(word, [*COMPONENTS, *classes])
        raise ConfigError(
            f"direction={word}: neither {' nor '.join(COMPONENTS)} nor a label of the data{near}"
        )
    attribute = class_attribute(classes, word) if ":" in word else label_attribute(classes, word)
    direction, targets = editor.direction_to(attribute), {attribute: True}
    strength = _strength(editor, direction, targets)
    _strip(editor, direction, attribute.name, word, "steps", widest=1.5 * strength)

    def slide(codes: Tensor) -> Tensor:
        return editor.move(codes, direction, strength)

    _write_report(editor, word, strength, editor.report(slide, targets))


def _components(editor: LatentEditor, method: str) -> None:
    """Draw a strip for each of the first directions by variance, or by amplification."""
    for number, direction in enumerate(editor.components(method, editor.settings.count), 1):
        about = f"{method} component {number}"
        _strip(editor, direction, about, f"{method}_{number}", "standard deviations", widest=3)


def _strip(
    editor: LatentEditor,
    direction: LatentDirection,
    about: str,
    name: str,
    unit: str,
    widest: float,
) -> None:
    seeds, given = editor.settings.seeds, editor.settings.strengths
    strengths = widest / 3 * torch.arange(-3, 4) if given == "auto" else torch.tensor(given).float()
    codes = editor.traverse(editor.space.of_seeds(seeds), direction, strengths)
    sheet = with_both_captions(
        grid(editor.images(codes.flatten(0, 1)), len(strengths)),
        [f"seed {seed}" for seed in seeds],
        [f"{strength:.3g}" for strength in strengths.tolist()],
    )
    _save(editor, with_caption(sheet, f"{about}: {unit} of each column"), name)


def _add_up(editor: LatentEditor, expression: str) -> None:
    """Draw a sum of mean codes of sets and codes of seeds, its operands, and the edit of its sets.

    The mean of the drawn codes is the origin, so that factors need not sum to 1.
    """
    terms = parse(expression, editor.space.loaded.description.classes)
    targets = attribute_targets(terms)
    mean = editor.codes.mean(0)
    operands, direction = _operands(editor, terms, mean)
    strength = _strength(editor, direction, targets) if targets else 0.0
    start = mean.clone()
    for term, operand in zip(terms, operands, strict=True):
        if term.attribute is None:
            start += term.factor * (operand - mean)
    starts = torch.cat([start[None], editor.space.of_seeds(editor.settings.seeds)])
    edit = editor.edit_function(direction, targets, strength) if targets else None
    ends = edit(starts) if edit else starts
    images = editor.images(torch.stack([*operands, ends[0]]))
    captions = [_sign(number, term) + term.word for number, term in enumerate(terms)]
    sheet = with_column_captions(grid(images, len(images), margin=6), [*captions, "="])
    about = f"{expression}; sets {strength:g} times" if targets else expression
    _save(editor, with_caption(sheet, about), expression)
    if edit:
        _pairs(editor, starts, ends, expression)
        _write_report(editor, expression, strength, editor.report(edit, targets))


def _pairs(editor: LatentEditor, starts: Tensor, ends: Tensor, expression: str) -> None:
    pairs = side_by_side(editor.images(starts), editor.images(ends))
    seeds = ", ".join(map(str, editor.settings.seeds))
    caption = f"before and after: the sum, then seeds {seeds}"
    _save(editor, grid(pairs, 6, caption, apart=(2, 4)), f"{expression}_seeds")


def _operands(
    editor: LatentEditor, terms: Sequence[Term], mean: Tensor
) -> tuple[list[Tensor], LatentDirection]:
    """The code (layers, n) of every term, and the direction that is the sum of the sets.

    The codes of a set and of its complement differ by the direction of their attribute alone, and
    the mean of all codes lies between them according to their shares. Other attributes that are
    more frequent in the set do not count.
    """
    attributes = dict.fromkeys(term.attribute for term in terms if term.attribute)
    directions = {attribute: editor.direction_to(attribute) for attribute in attributes}
    operands, direction = [], LatentDirection.constant(torch.zeros_like(editor.free[0, 0]))
    for term in terms:
        if term.attribute is None:
            operands.append(editor.space.of_seeds([term.seed or 0])[0])
            continue
        share = editor.share(term.attribute)
        part = ((1 - share) if term.present else -share) * directions[term.attribute]
        operands.append(editor.traverse(mean[None], part, torch.ones(1))[0, 0])
        direction = direction + term.factor * part
    return operands, direction


def _strength(editor: LatentEditor, direction: LatentDirection, targets: Targets) -> float:
    """The strength of the settings, or the automatic one."""
    given = editor.settings.strength
    if given != "auto":
        return float(given)
    found = editor.strength(direction, targets)
    log.info("strength=%g", found)
    return found


def _sign(number: int, term: Term) -> str:
    sign = "- " if term.factor < 0 else "+ " if number else ""
    return sign + (f"{abs(term.factor):g} * " if abs(term.factor) != 1 else "")


def _results(settings: Edit) -> list[tuple[str, str]]:
    """Names and suffixes of the files to write."""
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


def _save(editor: LatentEditor, image: Image.Image, name: str) -> None:
    path = _path(editor.settings, editor.space.loaded, name, ".png")
    save_png(image, path)
    log.info("wrote %s", path)


def _write_report(
    editor: LatentEditor, name: str, strength: float, shares: Mapping[str, Any]
) -> None:
    path = _path(editor.settings, editor.space.loaded, name, ".json")
    write_text(path, json.dumps({"strength": strength, **shares}, indent=2) + "\n")
    log.info("wrote %s", path)
