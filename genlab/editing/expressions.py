"""Sums of sets and seeds: "with_glasses - without_glasses + 7"."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from genlab.config.schema import check_seed
from genlab.editing.attribute_classifier import Attribute, Classes, class_attribute, label_attribute
from genlab.errors import ConfigError
from genlab.words import near_miss


class Term(NamedTuple):
    """A seed, or the set of images that have (`present`) or lack an attribute, and its factor."""

    factor: float
    word: str
    seed: int | None = None
    attribute: Attribute | None = None
    present: bool = True


def parse(expression: str, classes: Classes) -> list[Term]:
    """The terms of an expression; ConfigError for an invalid one.

    Terms are joined by + and - with spaces around them, and may begin with a factor, as in
    1.5*with_glasses. A term is with_LABEL, without_LABEL, LABEL:CLASS, not_LABEL:CLASS, or a whole
    number, which is a seed.
    """
    signed = re.sub(r"^\s*([+-])\s*", r"\1 ", expression)
    first, *rest = re.split(r"(?:^|\s+)([+-])\s+", signed.strip())
    words = [*(["+", first] if first else []), *rest]
    signs, terms = words[::2], words[1::2]
    if not terms:
        raise ConfigError(f"expression={expression!r} is empty: {_EXAMPLE}")
    return [_term(sign, term.strip(), classes) for sign, term in zip(signs, terms, strict=True)]


def _term(sign: str, term: str, classes: Classes) -> Term:
    match = re.fullmatch(r"(?:(\d*\.?\d+)\s*\*\s*)?(.+)", term)
    if not match:
        raise ConfigError(f"expression: a term is missing after {sign}: {_EXAMPLE}")
    factor, word = float(f"{sign}{match[1] or 1}"), match[2]
    if word.isdecimal():
        check_seed(int(word))
        return Term(factor, word, seed=int(word))
    known = [f"{start}_{label}" for label in classes for start in ("with", "without")]
    joined = re.search(r"[+-]", word) and ":" not in word and word not in known
    if joined or re.search(r"\s[+-]|[+-]\s", term):
        raise ConfigError(f"expression: {term!r} is no single term: {_EXAMPLE}")
    prefix, joint, name = word.partition("_")
    if joint and prefix in ("with", "without"):
        return Term(
            factor, word, attribute=label_attribute(classes, name), present=prefix == "with"
        )
    if word.startswith("not_") and ":" in word:
        return Term(factor, word, attribute=class_attribute(classes, name), present=False)
    if ":" in word:
        return Term(factor, word, attribute=class_attribute(classes, word))
    raise ConfigError(f"expression: {word} cannot be read{near_miss(word, known)}; {_EXAMPLE}")


def attribute_targets(terms: Sequence[Term]) -> dict[Attribute, bool]:
    """Whether the sum adds (true) or removes each attribute; those that cancel out are left out."""
    sums: dict[Attribute, float] = {}
    for term in terms:
        if term.attribute:
            change = term.factor if term.present else -term.factor
            sums[term.attribute] = sums.get(term.attribute, 0.0) + change
    return {attribute: change > 0 for attribute, change in sums.items() if change}


_EXAMPLE = (
    "write terms with spaces around + and -, as in 'with_LABEL - without_LABEL + 7' or "
    "'1.5*LABEL:CLASS - not_LABEL:CLASS + 7'"
)
