import pytest
import torch

from genlab.networks import Condition, GaussianBottleneck, PlainBottleneck, VectorQuantiser
from genlab.networks.quantised import IndexPrior


def test_reparameterised_samples_have_the_posterior_moments() -> None:
    torch.manual_seed(0)
    bottleneck = GaussianBottleneck((4,), 2)
    code = bottleneck(torch.randn(1, 4).expand(200_000, 4))
    deviation = (0.5 * code.log_variance[0]).exp()
    torch.testing.assert_close(code.values.mean(0), code.mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(code.values.std(0), deviation, atol=0.02, rtol=0)


def test_evaluation_mode_passes_the_mean_on() -> None:
    code = GaussianBottleneck((4,), 2).eval()(torch.randn(5, 4))
    assert torch.equal(code.values, code.mean)


@pytest.mark.parametrize(
    "bottleneck",
    [
        PlainBottleneck((4,), 3),
        PlainBottleneck((4,), 3, activation="sigmoid"),
        PlainBottleneck((4,), 3, prior="normal"),
        GaussianBottleneck((4,), 3),
    ],
)
def test_the_prior_depends_on_the_generator_alone(bottleneck) -> None:
    draws = [bottleneck.prior(6, torch.Generator().manual_seed(4)) for _ in range(2)]
    assert torch.equal(*draws)
    assert draws[0].shape == (6, 3)


def test_the_fitted_prior_has_the_codes_mean_and_covariance() -> None:
    torch.manual_seed(0)
    bottleneck = PlainBottleneck((3,), 2)
    mixing = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.5, 1.0]])
    with torch.no_grad():
        bottleneck.linear.weight.copy_(mixing)
        bottleneck.linear.bias.copy_(torch.tensor([3.0, -1.0]))
        for _ in range(1500):
            bottleneck(torch.randn(256, 3))
    drawn = bottleneck.prior(100_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(0), torch.tensor([3.0, -1.0]), atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), mixing @ mixing.T, atol=0.25, rtol=0)


def test_the_fitted_prior_of_sigmoid_codes_stays_in_their_range() -> None:
    drawn = PlainBottleneck((3,), 4, activation="sigmoid").prior(500)
    assert 0 < drawn.min() < drawn.max() < 1


@pytest.mark.parametrize("codes", [0, -1, 2.5])
def test_impossible_numbers_of_codes_are_refused(codes) -> None:
    for kind in (PlainBottleneck, GaussianBottleneck):
        with pytest.raises(ValueError, match=f"codes={codes}"):
            kind((4,), codes)


def quantiser(**settings) -> VectorQuantiser:
    return VectorQuantiser((5, 4, 4), **{"entries": 6, "width": 3, "prior_width": 8} | settings)


def test_every_position_becomes_the_nearest_entry() -> None:
    torch.manual_seed(0)
    bottleneck = quantiser().eval()
    features = torch.randn(2, 5, 4, 4)
    code = bottleneck(features)
    vectors = bottleneck.project(features).permute(0, 2, 3, 1).reshape(-1, 3)
    distances = torch.cdist(vectors, bottleneck.codebook)
    assert torch.equal(code.indices.flatten(), distances.argmin(1))
    entries = code.values.view(2, 3, 4, 4).permute(0, 2, 3, 1).reshape(-1, 3)
    torch.testing.assert_close(entries, bottleneck.codebook[code.indices.flatten()])
    nearest = distances.min(1).values.square().view(2, -1).sum(1)
    torch.testing.assert_close(code.distance, nearest, atol=1e-4, rtol=1e-4)


def test_gradients_pass_straight_through() -> None:
    bottleneck = quantiser()
    features = torch.randn(2, 5, 4, 4, requires_grad=True)
    bottleneck(features).values.sum().backward()
    straight = torch.autograd.grad(bottleneck.project(features).sum(), features)[0]
    torch.testing.assert_close(features.grad, straight)


def test_dead_entries_are_revived_until_all_are_in_use() -> None:
    torch.manual_seed(0)
    bottleneck = quantiser(entries=32)
    bottleneck.codebook.fill_(100.0)
    features = torch.randn(64, 5, 4, 4)
    for _ in range(30):
        bottleneck(features)
    code = bottleneck.eval()(features)
    assert len(code.indices.unique()) == 32


def test_the_codebook_finds_separate_clusters() -> None:
    torch.manual_seed(1)
    bottleneck = VectorQuantiser((2, 4, 4), entries=16, width=2, prior_width=8)
    torch.nn.init.eye_(bottleneck.project.weight.data.view(2, 2))
    torch.nn.init.zeros_(bottleneck.project.bias)
    corners = torch.tensor([[5.0, 5.0], [-5.0, 5.0], [5.0, -5.0], [-5.0, -5.0]])
    for _ in range(300):
        chosen = corners[torch.randint(4, (16, 4, 4))] + 0.1 * torch.randn(16, 4, 4, 2)
        bottleneck(chosen.permute(0, 3, 1, 2))
    found = bottleneck.codebook[torch.cdist(corners, bottleneck.codebook).argmin(1)]
    torch.testing.assert_close(found, corners, atol=0.3, rtol=0)


def test_the_prior_is_a_distribution_that_looks_back_only() -> None:
    torch.manual_seed(0)
    prior = IndexPrior(3, 2, 8).eval()
    every = torch.tensor([[a, b] for a in range(3) for b in range(3)])
    torch.testing.assert_close((-prior(every)).exp().sum(), torch.tensor(1.0))
    one, other = prior._predict(torch.tensor([[1]])), prior._predict(torch.tensor([[2]]))
    torch.testing.assert_close(one[:, 0], other[:, 0])
    assert not torch.allclose(one[:, 1], other[:, 1])


def test_draws_follow_the_prior() -> None:
    torch.manual_seed(0)
    prior = IndexPrior(2, 2, 8).eval()
    drawn = prior.draw(40_000, torch.Generator().manual_seed(0))
    every = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    share = torch.stack([(drawn == row).all(1).float().mean() for row in every])
    torch.testing.assert_close(share, (-prior(every)).exp().detach(), atol=0.01, rtol=0)


CLASSES = {"label": ["shirt", "bag"], "hair": ["none", "long", "short"]}


def test_conditions_are_one_hot_and_come_back() -> None:
    condition = Condition(CLASSES)
    labels = {"label": torch.tensor([1, 0]), "hair": torch.tensor([2, 0])}
    told = condition(labels)
    assert told.tolist() == [[0, 1, 0, 0, 1], [1, 0, 1, 0, 0]]
    back = condition.labels_of(told)
    assert all(torch.equal(back[name], labels[name]) for name in labels)


def test_conditions_are_drawn_in_turn_or_as_chosen() -> None:
    condition = Condition(CLASSES)
    generator = torch.Generator().manual_seed(0)
    drawn = condition.labels_of(condition.draw(5, generator, {}))
    assert drawn["label"].tolist() == [0, 1, 0, 1, 0]
    chosen = condition.labels_of(condition.draw(3, generator, {"hair": "long", "label": 1}))
    assert chosen["hair"].tolist() == [1, 1, 1]
    assert chosen["label"].tolist() == [1, 1, 1]
    each = condition.labels_of(condition.draw(3, generator, {"hair": torch.tensor([2, 0, 1])}))
    assert each["hair"].tolist() == [2, 0, 1]


def test_conditions_name_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="'eyes' among label, hair"):
        Condition(CLASSES, ["eyes"])
    with pytest.raises(ValueError, match=r"labels.hair=bald is none of none, long, short"):
        Condition(CLASSES).draw(1, torch.Generator(), {"hair": "bald"})
    with pytest.raises(ValueError, match=r"labels.hair=None is none of"):
        Condition(CLASSES).draw(1, torch.Generator(), {"hair": None})
