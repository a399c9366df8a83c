"""LeCam against the paper's formula, with running means worked out by hand."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from genlab.remedies import LeCam


def judged(real: list[float], fake: list[float]) -> SimpleNamespace:
    def logits(values: list[float]) -> SimpleNamespace:
        judgement = SimpleNamespace(logits=torch.tensor(values).unsqueeze(1).requires_grad_())
        return SimpleNamespace(judgement=judgement)

    return SimpleNamespace(real=logits(real), fake=logits(fake), mean=lambda value: value)


def test_logits_are_drawn_to_the_running_mean_of_the_other_side() -> None:
    lecam = LeCam(weight=0.5, decay=0.75)
    first = lecam.critic_loss(judged([1.0, 3.0], [-1.0, -3.0]))
    # The means begin with the first step's: 2 and -2.
    assert first.item() == pytest.approx(0.5 * 2 * (3**2 + 5**2) / 2)
    assert (lecam.real.item(), lecam.fake.item()) == (2, -2)
    step = judged([4.0, 4.0], [0.0, 2.0])
    second = lecam.critic_loss(step)
    real, fake = 0.75 * 2 + 0.25 * 4, 0.75 * -2 + 0.25 * 1
    assert (lecam.real.item(), lecam.fake.item()) == (real, fake)
    expected = (4 - fake) ** 2 + ((0 - real) ** 2 + (2 - real) ** 2) / 2
    assert second.item() == pytest.approx(0.5 * expected)
    second.backward()
    gradient: Tensor = step.real.judgement.logits.grad
    torch.testing.assert_close(gradient, torch.full((2, 1), 0.5 * (4 - fake)))


def test_running_means_are_part_of_the_state() -> None:
    lecam, other = LeCam(), LeCam()
    lecam.critic_loss(judged([1.0], [0.0]))
    other.load_state_dict(lecam.state_dict())
    assert (other.real.item(), bool(other.started)) == (1.0, True)


@pytest.mark.parametrize("settings", [{"weight": -1.0}, {"decay": 1.5}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        LeCam(**settings)
