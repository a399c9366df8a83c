import pytest

from genlab.callbacks.progress_bar import fitted

VALUES = {
    "critic_loss": 1.41,
    "critic_gradient": 3.0,
    "real_accuracy": 0.9,
    "generator_loss": 0.57609,
    "generator_gradient": 2.0,
}
TOLD = ["12%", "0:01:02 left", "12,345 images", "2,345 images/s"]


@pytest.mark.parametrize("width", range(33, 200))
def test_both_losses_and_the_share_are_shown_at_any_width(width: int) -> None:
    line = fitted(VALUES, TOLD, width)
    assert line.startswith("critic 1.41  generator 0.576  12%")
    assert len(line) <= width


def test_all_is_shown_where_there_is_room() -> None:
    whole = (
        "critic 1.41  generator 0.576  12%  0:01:02 left  12,345 images  2,345 images/s  "
        "real_accuracy 0.900"
    )
    assert fitted(VALUES, TOLD) == whole
    assert fitted(VALUES, TOLD, len(whole)) == whole
    assert fitted({"loss": 0.5}, ["1%"], 40) == "loss 0.500  1%"
