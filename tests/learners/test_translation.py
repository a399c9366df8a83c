"""The games of translators, against steps by hand and what their papers say."""

import functools
from typing import Any

import pytest
import torch
from by_hand import descend, weights
from torch import Tensor, nn

from genlab.learners import CycleConsistency, Translation
from genlab.learners.players import (
    CriticPlayer,
    CyclePlayer,
    TranslationCriticPlayer,
    TranslatorPlayer,
)
from genlab.networks import Critic, Cycle, convolutional
from genlab.networks.translators import Residual
from genlab.objectives.adversarial import least_squares
from genlab.objectives.reconstruction import AbsoluteError
from genlab.objectives.views import Grey, Holes, Shrunk
from genlab.remedies import FeatureMatching, Replay
from genlab.schedules import Ramp

IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(3)) * 2 - 1
KINDS = {"domain": torch.tensor([0, 1, 0, 1, 1, 0])}


def descent(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.1)


def residual(**given: int) -> nn.Module:
    return Residual(**given, width=4, blocks=1, normalisation="none")


def network(channels: int = 3) -> Critic:
    def encoder(channels: int) -> Any:
        return convolutional.Encoder(8, channels, width=4, normalisation="none")

    return Critic(encoder, channels, patches=True)


def translation(sees_given: bool = False, **settings: Any) -> Translation:
    torch.manual_seed(0)
    critic = functools.partial(TranslationCriticPlayer, network, descent, sees_given=sees_given)
    settings = {"view": Grey(), "critic": critic, "adversarial": 1.0} | settings
    return Translation(
        translator=functools.partial(TranslatorPlayer, residual, descent, 0),
        channels=3,
        loss=least_squares,
        **settings,
    )


def cycle(**settings: Any) -> CycleConsistency:
    torch.manual_seed(0)
    settings = {"label": "domain", "loss": least_squares} | settings
    return CycleConsistency(
        translators=CyclePlayer(Cycle(residual, 3), descent, 0),
        critic=functools.partial(CriticPlayer, network, descent),
        classes={"domain": ["apple", "red orange"], "other": ["a", "b", "c"]},
        **settings,
    )


@pytest.mark.parametrize("sees_given", [False, True])
def test_a_step_is_the_critics_and_then_content_and_the_game(play, sees_given: bool) -> None:
    settings = {"sees_given": sees_given, "content_weight": 3.0, "adversarial": 0.5}
    learner, twin = translation(**settings), translation(**settings)
    losses = play(learner, IMAGES, KINDS)
    given = Grey()(IMAGES)
    made = twin.translator.network(given)

    def beside(pictures: Tensor) -> Tensor:
        return torch.cat([pictures, given], 1) if sees_given else pictures

    assert twin.critic is not None
    assert learner.critic is not None
    real, fake = twin.critic.network(beside(IMAGES)), twin.critic.network(beside(made.detach()))
    descend(twin.critic.network, least_squares(real, fake).critic)
    convinces = least_squares(real, twin.critic.network(beside(made))).generator
    content = (made - IMAGES).abs().mean() / 2
    descend(twin.translator.network, 3.0 * content + 0.5 * convinces)
    torch.testing.assert_close(losses["content"], content.detach())
    torch.testing.assert_close(losses["generator_loss"], convinces.detach())
    torch.testing.assert_close(weights(learner.critic.network), weights(twin.critic.network))
    torch.testing.assert_close(*(weights(each.translator.network) for each in (learner, twin)))
    torch.testing.assert_close(weights(learner.exported), weights(twin.translator.network))


def test_feature_matching_compares_features_of_one_critic(play) -> None:
    learner, twin = translation(remedies={"features": FeatureMatching(2.0)}), translation()
    losses = play(learner, IMAGES, KINDS)
    made = twin.translator.network(Grey()(IMAGES))
    assert twin.critic is not None
    judge = twin.critic.network
    descend(judge, least_squares(judge(IMAGES), judge(made.detach())).critic)
    real, fake = twin.critic.network.judge(IMAGES), twin.critic.network.judge(made)
    apart = (real.features.detach() - fake.features).abs().mean()
    convinces = least_squares(real.logits, fake.logits).generator
    loss = (made - IMAGES).abs().mean() / 2 + convinces + 2.0 * apart
    torch.testing.assert_close(losses["loss"], loss.detach())
    descend(twin.translator.network, loss)
    torch.testing.assert_close(*(weights(each.translator.network) for each in (learner, twin)))


def test_the_critic_rests_while_content_alone_is_learned(play) -> None:
    ramp = Ramp(start=0.0, end=1.0, delay_images=100, images=10)
    resting, awake = translation(adversarial=ramp), translation(adversarial=ramp)
    before = weights(resting.critic)
    resting.images_seen, awake.images_seen = 100, 110
    assert "critic_loss" not in play(resting, IMAGES, KINDS)
    assert torch.equal(weights(resting.critic), before)
    assert "critic_loss" in play(awake, IMAGES, KINDS)
    assert not torch.equal(weights(awake.critic), before)


def test_content_alone_needs_no_critic(play) -> None:
    learner = translation(critic=None, adversarial=0.0)
    assert set(play(learner, IMAGES, KINDS)) == {"content", "loss", "translator_gradient"}
    with pytest.raises(ValueError, match="needs a critic"):
        translation(critic=None)


def test_filled_holes_leave_every_other_pixel_as_it_was() -> None:
    learner = translation(view=Holes("free_form"))
    torch.manual_seed(5)
    given = learner.view(IMAGES)
    made = learner.translate(given, learner.directions[0])
    known = (given[:, -1:] == 0).expand_as(IMAGES)
    assert torch.equal(made[known], IMAGES[known])


def test_what_is_measured_is_that_of_the_pictures() -> None:
    learner = translation(view=Shrunk(8, 2))
    measured = learner.measure(IMAGES, {})
    naive = Shrunk(8, 2).naive(Shrunk(8, 2)(IMAGES), 3)
    torch.testing.assert_close(measured["naive_mse"], (naive - IMAGES).square().mean((1, 2, 3)) / 4)
    assert list(learner.views(IMAGES, {})) == ["image", "small", "upscaled"]


def test_a_critic_cannot_see_what_is_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"critic\.sees_given"):
        translation(view=Shrunk(8, 2), sees_given=True)


def test_a_step_of_the_cycle_is_that_of_its_paper(play) -> None:
    loss = functools.partial(least_squares, generator_weight=1.0)
    learner, twin = cycle(cycle=10.0, identity=5.0, loss=loss), cycle()
    losses = play(learner, IMAGES, KINDS)
    real = [IMAGES[KINDS["domain"] == kind] for kind in (0, 1)]
    there, back = twin.translators.network.translators
    fake = [back(real[1]), there(real[0])]
    convinces = torch.zeros(())
    for kind in (0, 1):
        judge: Any = twin.critics[kind].network
        game = least_squares(judge(real[kind]), judge(fake[kind].detach()))
        descend(judge, game.critic)
        convinces = convinces + (judge(fake[kind]) - 0.5).square().mean()
    cycled = (back(fake[1]) - real[0]).abs().mean() + (there(fake[0]) - real[1]).abs().mean()
    same = (back(real[0]) - real[0]).abs().mean() + (there(real[1]) - real[1]).abs().mean()
    descend(twin.translators.network, convinces + 10 * cycled + 5 * same)
    torch.testing.assert_close(losses["generator_loss"], convinces.detach())
    torch.testing.assert_close(losses["cycle"], cycled.detach() / 2)
    torch.testing.assert_close(weights(learner.critics), weights(twin.critics))
    torch.testing.assert_close(*(weights(each.translators.network) for each in (learner, twin)))


def test_the_pool_of_earlier_fakes_is_each_critics_own(play) -> None:
    learner = cycle(remedies={"replay": Replay(8, 3, size=2)})
    play(learner, IMAGES, KINDS)
    state = learner.state_dict()
    pools = [state[f"critics.{kind}.remedies.replay.pool"] for kind in (0, 1)]
    assert not torch.equal(*pools)
    assert pools[1].abs().sum() > 0


def test_directions_lead_from_one_kind_to_the_other() -> None:
    learner = cycle()
    assert learner.directions == ["apple_to_red_orange", "red_orange_to_apple"]
    made = learner.translated(IMAGES, KINDS)["apple_to_red_orange"]
    assert torch.equal(made.before, IMAGES[KINDS["domain"] == 0])
    assert torch.equal(made.target, IMAGES[KINDS["domain"] == 1])
    there = learner.translators.average(made.before, 0).clamp(-1, 1)
    torch.testing.assert_close(made.after, there)
    error = AbsoluteError()(learner.reconstruct(IMAGES, KINDS), IMAGES)
    assert error.shape == (6,)


@pytest.mark.parametrize("label", ["other", "none"])
def test_two_kinds_are_needed(label: str) -> None:
    with pytest.raises(ValueError, match="two classes"):
        cycle(label=label)
