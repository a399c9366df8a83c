"""Ranges: what fits and what is refused, by its name and with the bound."""

import math
from collections.abc import Callable

import pytest

from genlab import bounds
from genlab.schedules import Constant, Cosine, Ramp


@pytest.mark.parametrize(
    ("check", "fitting", "refused"),
    [
        (lambda x: bounds.finite(x=x), [-1e30, 0, 5], [math.nan, math.inf, -math.inf, True, "1"]),
        (lambda x: bounds.at_least(0, x=x), [0, 0.5, None], [-1e-9, math.nan, math.inf, False]),
        (lambda x: bounds.above(0, x=x), [1e-9, 3], [0, -1, math.nan, 1e300, 10**400]),
        (lambda x: bounds.within(0, 1, x=x), [0, 1, 0.5, [0, 1]], [1.01, -0.01, [0, 2], math.nan]),
        (lambda x: bounds.between(0, 1, x=x), [0.5], [0, 1, math.nan]),
        (lambda x: bounds.whole(1, x=x), [1, 2**53, [3, 4]], [0, 1.0, True, 2**53 + 1, [1, 0]]),
        (lambda x: bounds.widths(x=x), [1, 512], [0, 10**9]),
        (lambda x: bounds.depths(x=x), [1, 18], [0, 10**9]),
    ],
)
def test_ranges(check: Callable[[object], None], fitting: list, refused: list) -> None:
    for value in fitting:
        check(value)
    for value in refused:
        with pytest.raises(ValueError, match=r"^x=.* must be "):
            check(value)


def test_the_values_of_a_schedule_have_to_fit() -> None:
    for schedule in (Constant(1.0), Ramp(end=0.5, images=10), Cosine(images=10, start=1, end=0)):
        bounds.within(0, 1, share=schedule)
    for schedule in (Constant(2.0), Ramp(end=-0.5, images=10), Cosine(images=10, start=9)):
        with pytest.raises(ValueError, match=r"^share=.* must be from 0 to 1"):
            bounds.within(0, 1, share=schedule)


def test_lists_of_layers_are_no_deeper_than_networks() -> None:
    bounds.widths(widths=[8] * 1000)
    with pytest.raises(ValueError, match="widths has 30,000 layers, at most 1,000"):
        bounds.widths(widths=[8] * 30_000)
