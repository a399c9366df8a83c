"""The two-player game against steps by hand, and each remedy against what it says it does."""

import functools
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from by_hand import descend, weights
from test_learners import gan_learner
from torch import Tensor

from genlab.learners.adversarial import Adversarial
from genlab.learners.learner import Engine
from genlab.learners.players import CriticPlayer, GeneratorPlayer
from genlab.networks import Critic, Generator, StyleDecoder, progan, stylegan
from genlab.objectives.adversarial import Losses, minimax, non_saturating, relativistic, wasserstein
from genlab.objectives.path_length import PathLength
from genlab.remedies import (
    R1,
    AdaptiveAugmentation,
    FeatureMatching,
    FlippedLabels,
    HistoricalAveraging,
    InstanceNoise,
    Replay,
    WeightClipping,
)
from genlab.schedules import Growth, Ramp

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.fixture
def played(play: Callable[..., dict[str, Tensor]]) -> Callable[..., Adversarial]:
    """A learner with these settings that has played so many steps."""

    def make(steps: int = 1, **settings) -> Adversarial:
        learner = gan_learner(**settings)
        learner.last = play(learner, IMAGES, {}, steps)
        return learner

    return make


def test_a_step_is_the_two_players_gradients_in_turn(played) -> None:
    """The critic's on detached fakes, then the generator's against the new critic."""
    learner, twin = played(), gan_learner()
    torch.manual_seed(0)
    fakes = twin.generator.network(torch.randn(6, 2))
    critic_loss = non_saturating(
        twin.critic.network(IMAGES), twin.critic.network(fakes.detach())
    ).critic
    descend(twin.critic.network, critic_loss)
    generator_loss = F.softplus(-twin.critic.network(fakes)).mean()
    descend(twin.generator.network, generator_loss)
    torch.testing.assert_close(learner.last["critic_loss"], critic_loss.detach())
    torch.testing.assert_close(learner.last["generator_loss"], generator_loss.detach())
    torch.testing.assert_close(weights(learner.critic.network), weights(twin.critic.network))
    torch.testing.assert_close(weights(learner.generator.network), weights(twin.generator.network))
    torch.testing.assert_close(weights(learner.exported), weights(twin.generator.network))


@pytest.mark.parametrize("critic_steps", [1, 2, 3])
def test_the_generator_waits_for_so_many_critic_steps(played, critic_steps: int) -> None:
    first = weights(gan_learner().generator.network)
    for steps in range(1, 5):
        learner = played(steps, critic_steps=critic_steps)
        moved = not torch.equal(weights(learner.generator.network), first)
        assert moved == (steps >= critic_steps), steps
        assert ("generator_loss" in learner.last) == (steps % critic_steps == 0)


def test_more_generator_steps_move_the_generator_alone(played) -> None:
    once, twice = played(), played(generator_steps=2)
    assert torch.equal(weights(once.critic.network), weights(twice.critic.network))
    assert not torch.equal(weights(once.generator.network), weights(twice.generator.network))


def test_a_penalty_of_every_step_is_added_to_the_loss(played) -> None:
    plain, penalised = played(), played(remedies={"r1": R1(2.0), "none": None})
    twin = gan_learner()
    expected = R1(2.0)(twin.critic.network, IMAGES, IMAGES)
    added = penalised.last["critic_loss"] - plain.last["critic_loss"]
    torch.testing.assert_close(added, expected.detach())


def test_a_lazy_penalty_is_a_further_step_when_due(played, monkeypatch) -> None:
    """Karras et al. 2020, appendix B: rates and betas allow for the further steps."""
    lazy = {"r1": R1(2.0, every=2)}
    adam = functools.partial(torch.optim.Adam, lr=3e-4)
    learner = gan_learner(remedies=lazy, critic_optimizer=adam)
    critic, generator = learner.optimizers_of_players()
    assert critic.param_groups[0]["lr"] == critic.defaults["lr"] == pytest.approx(2e-4)
    assert critic.defaults["betas"] == pytest.approx((0.9 ** (2 / 3), 0.999 ** (2 / 3)))
    assert generator.defaults["lr"] == gan_learner().optimizers_of_players()[1].defaults["lr"]
    players = []
    descend = Adversarial.descend
    monkeypatch.setattr(
        Adversarial,
        "descend",
        lambda self, player, loss: (players.append(player), descend(self, player, loss)),
    )
    played(3, remedies=lazy)
    assert players == [0, 0, 1, 0, 1, 0, 0, 1]


def test_the_generator_learns_from_more_batches_than_the_critic(played) -> None:
    """As many fakes as reals for the critic, the first ones; all of them for the generator."""
    once, twice = played(), played(batches=2)
    torch.manual_seed(0)
    twin = gan_learner()
    torch.manual_seed(0)
    fakes = twin.generator.network(torch.randn(12, 2))
    expected = non_saturating(twin.critic.network(IMAGES), twin.critic.network(fakes[:6])).critic
    torch.testing.assert_close(twice.last["critic_loss"], expected.detach())
    assert not torch.equal(weights(once.generator.network), weights(twice.generator.network))


def styled_learner(path_length: PathLength | None = None, **settings) -> Adversarial:
    sizes = {"resolution": 8, "channels": 1, "base": 32, "most": 8}
    synthesis = functools.partial(stylegan.Decoder, **sizes)
    decoder = functools.partial(
        StyleDecoder, latent_size=2, synthesis=synthesis, mapping_layers=2, style=4
    )
    encoder = functools.partial(progan.Encoder, resolution=8, base=32, most=8)
    torch.manual_seed(0)
    generator = Generator(decoder, latent_size=2)
    return Adversarial(
        GeneratorPlayer(generator, torch.optim.Adam, 100, path_length=path_length),
        CriticPlayer(functools.partial(Critic, encoder, channels=1), torch.optim.Adam),
        loss=non_saturating,
        **settings,
    )


def test_a_growing_game_is_played_at_the_resolution_of_its_stage(played) -> None:
    stages = Growth(8, start=4, fade_images=12, stable_images=6)
    learner = styled_learner(stages=stages)
    learner.engine = Engine(learner.optimizers_of_players())
    shown = []
    judge = learner.critic.network.judge

    def watched(images: Tensor, labels: object, **stage: object) -> object:
        shown.append((tuple(images.shape[2:]), stage["fade"]))
        return judge(images, labels, **stage)

    learner.critic.network.judge = watched
    for step in range(4):
        learner.images_seen = step * len(IMAGES)
        learner.play(IMAGES, {})
        assert learner.generate(torch.randn(2, 2)).shape == (2, 1, 8, 8)
    assert sorted(set(shown)) == [((4, 4), 1.0), ((8, 8), 0.0), ((8, 8), 0.5), ((8, 8), 1.0)]


def test_path_length_moves_the_generator_and_not_the_critic(played) -> None:
    learners = [styled_learner(path_length=p) for p in (None, PathLength(every=1))]
    for learner in learners:
        learner.engine = Engine(learner.optimizers_of_players())
        torch.manual_seed(0)
        learner.last = learner.play(IMAGES, {})
    plain, regular = learners
    assert torch.equal(weights(plain.critic.network), weights(regular.critic.network))
    assert not torch.equal(weights(plain.generator.network), weights(regular.generator.network))
    assert regular.last["path_length"] > 0
    with pytest.raises(ValueError, match="path_length needs a generator with styles"):
        gan_learner(path_length=PathLength())


def test_path_length_is_that_of_the_stage(played) -> None:
    """Pictures of the stage's resolution, lengths over the layers that it uses."""
    penalty = PathLength(every=1, decay=1.0)
    learner = styled_learner(path_length=penalty, stages=Growth(8, start=4, stable_images=1000))
    learner.engine = Engine(learner.optimizers_of_players())
    seen = []
    forward = penalty.forward
    penalty.forward = lambda styles, make: (
        seen.append((styles.shape[1], make(styles).shape[-1])) or forward(styles, make)
    )
    learner.play(IMAGES, {})
    assert seen == [(2, 4)]


def test_a_batch_of_one_image_is_played(play) -> None:
    losses = play(gan_learner(), IMAGES[:1], {})
    assert all(loss.isfinite() for loss in losses.values())


@pytest.mark.parametrize(
    ("every", "further"), [((1,), 0), ((4,), 1 / 4), ((3, 4), 1 / 2), ((2, 4), 1 / 2), ((), 0)]
)
def test_further_steps_are_counted_over_a_cycle(every: tuple[int, ...], further: float) -> None:
    penalties = {str(number): R1(1.0, every=number) for number in every}
    penalties["off"] = R1(0.0, every=5)
    assert gan_learner(remedies=penalties).critic.remedies.further_steps == pytest.approx(further)


def test_players_that_cannot_grow_are_refused() -> None:
    with pytest.raises(ValueError, match="growth=none"):
        gan_learner(stages=Growth(8))


def test_styles_are_those_of_the_averaged_generator(played) -> None:
    learner = styled_learner().eval()
    latents = torch.randn(3, 2)
    styles = learner.styles
    assert styles is not None
    torch.testing.assert_close(styles.images(styles.of(latents)), learner.generate(latents))
    growing = styled_learner(stages=Growth(8)).eval()
    assert growing.styles.of(latents).shape == (3, 2, 4)
    made = growing.styles.images(growing.styles.of(latents))
    torch.testing.assert_close(made, growing.generate(latents))


def test_clipped_weights_stay_within(played) -> None:
    learner = played(remedies={"clip": WeightClipping(0.01)})
    assert weights(learner.critic.network).abs().max() <= 0.01
    assert weights(learner.generator.network).abs().max() > 0.01


def test_all_labels_flipped_is_the_game_the_other_way_round(played) -> None:
    flipped = played(remedies={"flipped": FlippedLabels(1.0)})

    def exchanged(real: Tensor, fake: Tensor) -> Losses:
        return Losses(non_saturating(fake, real).critic, non_saturating(real, fake).generator)

    other = played(loss=exchanged)
    torch.testing.assert_close(flipped.last["critic_loss"], other.last["critic_loss"])
    # What is logged tells true reals from true fakes.
    torch.testing.assert_close(flipped.last["real_accuracy"], played().last["real_accuracy"])


def test_relative_critics_are_right_about_logits_on_their_side_of_the_middle(play) -> None:
    """A constant added to all logits changes nothing that is logged of a Wasserstein critic."""
    for loss in (wasserstein, relativistic):
        told = []
        for constant in (0.0, 40.0):
            learner = gan_learner(loss=loss)
            learner.critic.network.logit.bias.data += constant
            told.append(play(learner, IMAGES, {}))
        for name in ("real_accuracy", "fake_accuracy", "logit_gap"):
            torch.testing.assert_close(told[0][name], told[1][name], atol=1e-4, rtol=0)
        assert told[0]["real_accuracy"] + told[0]["fake_accuracy"] > 0


def test_instance_noise_fades_with_its_schedule(played) -> None:
    fading = InstanceNoise(Ramp(start=0.5, end=0.0, images=12))
    learner = played(remedies={"noise": fading})
    assert learner.last["critic_loss"] != played().last["critic_loss"]
    noise = learner.critic.remedies.show(IMAGES, 0) - IMAGES
    assert noise.std().item() == pytest.approx(0.5, rel=0.15)
    assert torch.equal(fading.show(IMAGES, 12), IMAGES)


@pytest.mark.parametrize("adversarial", [0.0, 0.5, 1.0])
def test_feature_matching_compares_mean_features_of_one_critic(played, adversarial: float) -> None:
    """Beside the game's loss, or in its place as Salimans et al. 2016 have it."""
    learner, twin = (
        played(remedies={"features": FeatureMatching(3.0)}, adversarial=adversarial),
        gan_learner(),
    )
    torch.manual_seed(0)
    fakes = twin.generator.network(torch.randn(6, 2))
    judge = twin.critic.network
    descend(judge, non_saturating(judge(IMAGES), judge(fakes.detach())).critic)
    real, fake = twin.critic.network.judge(IMAGES), twin.critic.network.judge(fakes)
    apart = (real.features.mean(0).detach() - fake.features.mean(0)).square().sum()
    loss = adversarial * non_saturating(real.logits, fake.logits).generator + 3.0 * apart
    descend(twin.generator.network, loss)
    torch.testing.assert_close(learner.last["generator_loss"], loss.detach())
    torch.testing.assert_close(weights(learner.generator.network), weights(twin.generator.network))


def test_features_of_reals_are_looked_at_again_only_where_they_are_matched(
    played, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []
    judge = Critic.judge

    def counting(self, images, *args, **settings):
        judged.append(len(images))
        return judge(self, images, *args, **settings)

    monkeypatch.setattr(Critic, "judge", counting)
    for settings, forwards in (({}, 3), ({"remedies": {"features": FeatureMatching()}}, 4)):
        judged.clear()
        played(**settings)
        assert len(judged) == forwards


def test_historical_averaging_counts_every_step_of_the_generator(played) -> None:
    averaging = HistoricalAveraging(1.0)
    played(5, remedies={"history": averaging}, generator_steps=2)
    assert int(averaging.generator.count) == 11
    assert int(averaging.critic.count) == 6


def test_historical_averaging_holds_players_near_their_past(played) -> None:
    free, held = played(8), played(8, remedies={"history": HistoricalAveraging(1.0)})
    start = gan_learner()
    for name in ("critic", "generator"):
        first = weights(getattr(start, name).network)
        moved = [(weights(getattr(run, name).network) - first).norm() for run in (free, held)]
        assert moved[1] < moved[0]


def test_replayed_fakes_reach_the_critic_and_not_the_generator(played) -> None:
    replay = Replay(resolution=8, channels=1, size=6)
    replay.pool.fill_(1.0)
    replay.filled.fill_(6)
    seen = played(remedies={"replay": replay})
    assert (replay.pool == 1).all((1, 2, 3)).sum() == 3
    assert not torch.equal(weights(seen.critic.network), weights(played().critic.network))


def test_adaptive_augmentation_learns_from_the_reals_logits(played) -> None:
    augmentation = AdaptiveAugmentation(speed_images=48, interval=2)
    augmentation.target = -1.5  # below any certainty: p always rises
    learner = played(4, remedies={"ada": augmentation})
    assert augmentation.p == pytest.approx(4 * 6 / 48)
    assert learner.last["augmentation_p"].item() == pytest.approx(augmentation.p)


def test_host_state_of_the_augmentation_is_saved_and_loaded(played) -> None:
    made = AdaptiveAugmentation(target=-0.99, speed_images=999, interval=2)
    played(3, remedies={"ada": made})
    other = AdaptiveAugmentation(target=-0.99, speed_images=999, interval=2)
    state = made.state_dict()
    assert {"p", "signs", "images", "steps"} == set(state)
    other.load_state_dict(state)
    assert (other.p, other.images, other.steps) == (12 / 999, 6, 1)
    assert torch.equal(other.signs, made.signs)
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict({"signs": state["signs"]})


def test_flipped_labels_need_a_loss_with_labels() -> None:
    with pytest.raises(ValueError, match="has no labels"):
        gan_learner(
            loss=wasserstein,
            remedies={"flipped_labels": FlippedLabels(Ramp(start=0.1, end=0.0, images=9))},
        )
    gan_learner(loss=relativistic, remedies={"flipped_labels": FlippedLabels(0.1)})


def test_what_makes_no_sense_is_refused() -> None:
    for settings in ({"critic_steps": 0}, {"generator_steps": 0}):
        with pytest.raises(ValueError, match=r"must be (at least|from) 1"):
            gan_learner(loss=minimax, **settings)
    with pytest.raises(ValueError, match="must be at least 0"):
        gan_learner(adversarial=-1.0)
    with pytest.raises(ValueError, match=r"weight=-1\.0 must be at least 0"):
        FeatureMatching(-1.0)
    with pytest.raises(ValueError, match="add remedy=feature_matching"):
        gan_learner(adversarial=0.0)
