import pytest

from genlab.schedules import (
    Constant,
    Cosine,
    Greedy,
    Growth,
    Ramp,
    Unfreeze,
    Whole,
    as_schedule,
    growing_interval,
)


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
    with pytest.raises(ValueError, match="must be at least 0"):
        Unfreeze(**{"frozen_images": 10, **settings})


def growth(**settings) -> Growth:
    return Growth(16, start=4, fade_images=100, stable_images=50, **settings)


def test_growth_holds_every_resolution_and_fades_the_next_one_in() -> None:
    schedule = growth()
    at = {seen: tuple(schedule(seen).values()) for seen in (0, 49, 50, 100, 150, 199, 200, 300)}
    assert at == {
        0: (4, 1.0),
        49: (4, 1.0),
        50: (8, 0.0),
        100: (8, 0.5),
        150: (8, 1.0),
        199: (8, 1.0),
        200: (16, 0.0),
        300: (16, 1.0),
    }
    assert schedule(10**9) == {"resolution": 16, "fade": 1.0}
    assert schedule.name(60) == "resolution 8, fading in"
    assert schedule.name(160) == "resolution 8"


def test_growth_that_starts_too_large_starts_at_the_end() -> None:
    assert Growth(8, start=16)(0) == {"resolution": 8, "fade": 1.0}


def test_a_stage_of_growth_is_named_by_the_smaller_side() -> None:
    """48 x 80 grows from 6 x 10, whose area is that of a square of 7.7 pixels: 8 is next to it."""
    schedule = Growth([48, 80], fade_images=1, stable_images=1, batch_sizes={8: 32, 24: 5, 64: 3})
    stages = [schedule(seen)["resolution"] for seen in (0, 2, 4, 6, 99)]
    assert stages == [6, 12, 24, 48, 48]
    assert [schedule.batch_size(seen, 64) for seen in (0, 2, 4, 6)] == [32, 64, 5, 3]
    assert Growth([80, 48], start=8)(0)["resolution"] == 12
    assert Growth([80, 48], start=64)(0)["resolution"] == 48
    with pytest.raises(ValueError, match=r"resolution=\[50,80\] .* data.resolution to.* \[48,80\]"):
        Growth([50, 80])


def test_growth_changes_batches_and_rates_with_the_resolution() -> None:
    schedule = growth(batch_sizes={8: 32}, rates={16: 1.5})
    assert [schedule.batch_size(seen, 64) for seen in (0, 50, 199, 200)] == [64, 32, 32, 64]
    assert [schedule.rate(seen) for seen in (0, 50, 199, 200)] == [1.0, 1.0, 1.0, 1.5]


def test_optimizers_start_anew_at_both_ends_of_a_fade() -> None:
    schedule = growth()
    anew = [seen for seen in range(1, 400) if schedule.renews_optimizers(seen - 1, seen)]
    assert anew == [50, 150, 200, 300]


@pytest.mark.parametrize("settings", [{"start": 3}, {"start": 5}, {"fade_images": 0}])
def test_impossible_growth_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Growth(**{"resolution": 16, **settings})


def test_intervals_grow_with_the_run() -> None:
    millions = {0: 0.02, 0.4: 0.02, 0.999999: 0.02, 1: 0.05, 1.999999: 0.05, 2: 0.1, 3.999999: 0.1}
    millions |= {4: 0.2, 10: 0.5, 20: 1, 39: 1, 40: 2, 100: 5}
    for seen, length in millions.items():
        assert growing_interval(round(seen * 1e6)) == round(length * 1e6)


def test_a_long_run_has_few_grids_which_begin_at_multiples() -> None:
    points = [0]
    while points[-1] < 25_000_000:
        points.append(points[-1] + growing_interval(points[-1]))
    assert points[:51] == list(range(0, 1_000_001, 20_000))
    assert all(point % growing_interval(point) == 0 for point in points)
    assert len(points) == 1 + 50 + 20 + 20 + 30 + 20 + 5  # 1 251 at the first interval
