"""Integer labels from the options that DiceBear picked for each avatar."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

NONE = "none"


def encode(
    definition: dict[str, Any], picks: Sequence[dict[str, Any]]
) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Labels, int64 (N,), and their class names from DiceBear's resolved options.

    Every part of the drawing (hair, glasses) gives a label, and so does every palette (skin); a
    palette of a part's name becomes e.g. hair_color. The class "none" comes first where some
    avatars lack the part or colour. What never varies gives no label.
    """
    labels, classes = {}, {}
    for name, known, values in _attributes(definition, picks):
        if len(set(values)) == 1:
            continue
        names = [key for key in known if key != NONE]
        if NONE in values:
            names.insert(0, NONE)
        labels[name] = np.array([names.index(value) for value in values], np.int64)
        classes[name] = names
    return labels, classes


def _attributes(
    definition: dict[str, Any], picks: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, known classes and each avatar's class of every part and every palette."""
    components = definition.get("components", {})
    for name, component in components.items():
        original = components[component.get("extends", name)]
        kinds = _kinds(list(original["variants"]))
        values = [kinds.get(pick.get(f"{name}Variant"), NONE) for pick in picks]
        yield name, list(dict.fromkeys(kinds.values())), values
    for name, palette in definition.get("colors", {}).items():
        values = [next(iter(pick.get(f"{name}Color", ())), NONE) for pick in picks]
        label = f"{name}_color" if name in components else name
        yield label, palette["values"], values


def _kinds(variants: list[str]) -> dict[str | None, str]:
    """The class of each variant: its name without a trailing number.

    long01 to long21 are one class of hair; but where numbers alone tell all variants apart, each
    is a class.
    """
    stems = {variant: re.sub(r"\d+$", "", variant) for variant in variants}
    distinct = len(set(stems.values())) > 1
    return {variant: stem if distinct else variant for variant, stem in stems.items()}
