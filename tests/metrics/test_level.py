import pytest

from genlab.metrics.level import is_level


@pytest.mark.parametrize(
    ("measured", "level"),
    [
        ([], False),
        ([0.9] * 4, False),
        ([0.9] * 5, True),
        ([1.0, 1.0, 1.0, 1.0, 1.0], True),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], False),
        ([0.9, 0.89, 0.88, 0.89, 0.9], True),
        ([0.9, 0.89, 0.88, 0.89, 0.903], False),
        ([0.5, 0.9, 0.9, 0.9, 0.9], False),  # the second is a gain on the first
    ],
)
def test_an_accuracy_is_level_after_four_measurements_without_a_gain(measured, level) -> None:
    assert is_level(measured) is level
