import pytest

from genlab.schedules import Constant, Ramp, as_schedule


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
