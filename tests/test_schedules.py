import pytest

from genlab.schedules import Constant, Cosine, Greedy, Ramp, Unfreeze, Whole, as_schedule


def test_ramp_goes_from_start_to_end_and_stays() -> None:
    ramp = Ramp(start=1.0, end=3.0, images=100, delay_images=50)
    assert [ramp(seen) for seen in (0, 50, 100, 150, 10_000)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_ramp_refuses_no_images() -> None:
    with pytest.raises(ValueError, match="images=0"):
        Ramp(end=1.0, images=0)


def test_a_number_stands_for_a_constant() -> None:
    assert as_schedule(4)(10**9) == 4.0
    ramp = Ramp(end=1.0, images=10)
    assert as_schedule(ramp) is ramp
    assert Constant(0.5)(3) == 0.5


def test_cosine_falls_from_start_to_end() -> None:
    cosine = Cosine(images=100, start=1.0, end=0.2)
    assert [cosine(seen) for seen in (0, 50, 100, 500)] == pytest.approx([1.0, 0.6, 0.2, 0.2])


def test_greedy_takes_the_blocks_in_turn_and_then_all() -> None:
    greedy = Greedy(blocks=2, images_per_block=10)
    stages = [greedy(seen) for seen in (0, 9, 10, 19, 20)]
    assert stages == [{"block": 0}, {"block": 0}, {"block": 1}, {"block": 1}, {}]
    with pytest.raises(ValueError, match="images_per_block=0"):
        Greedy(blocks=2, images_per_block=0)


def test_layers_are_freed_all_at_once_or_one_by_one() -> None:
    assert [Unfreeze(10)(seen) for seen in (0, 9, 10)] == [{"trainable": 0}] * 2 + [{}]
    gradual = Unfreeze(10, images_per_block=5)
    assert [gradual(seen)["trainable"] for seen in (0, 10, 14, 15, 20)] == [0, 1, 1, 2, 3]
    assert Whole()(10**9) == {}


@pytest.mark.parametrize("settings", [{"frozen_images": -1}, {"images_per_block": -5}])
def test_unfreezing_in_negative_time_is_refused(settings) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Unfreeze(**{"frozen_images": 10, **settings})
