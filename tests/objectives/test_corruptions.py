import pytest
import torch

from genlab.objectives.corruptions import GaussianNoise, Masking, SaltAndPepper

GREY = torch.zeros(400, 1, 20, 20)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_noise_has_its_deviation_as_a_share_of_the_range() -> None:
    noisy = GaussianNoise(0.2)(GREY, -1.0, 1.0)
    assert noisy.std().item() == pytest.approx(0.4, rel=0.02)
    assert noisy.mean().item() == pytest.approx(0.0, abs=0.01)


def test_masking_turns_a_share_black_and_leaves_the_rest() -> None:
    masked = Masking(0.3)(GREY, -1.0, 1.0)
    assert set(masked.unique().tolist()) == {-1.0, 0.0}
    assert (masked == -1).float().mean().item() == pytest.approx(0.3, abs=0.01)


def test_patches_are_hit_as_a_whole_in_all_channels() -> None:
    images = torch.zeros(200, 3, 10, 10)
    masked = Masking(0.5, patch=4)(images, -1.0, 1.0)
    for row, column in ((0, 0), (4, 4), (8, 8)):
        square = masked[:, :, row : row + 4, column : column + 4].flatten(1)
        assert torch.equal(square.amin(1), square.amax(1))
    assert (masked == -1).float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_salt_and_pepper_are_equally_frequent() -> None:
    salted = SaltAndPepper(0.4)(GREY, -1.0, 1.0)
    for value, share in ((-1.0, 0.2), (0.0, 0.6), (1.0, 0.2)):
        assert (salted == value).float().mean().item() == pytest.approx(share, abs=0.01)


def test_a_range_draws_a_strength_for_every_image() -> None:
    shares = (Masking([0.2, 0.8])(GREY, -1.0, 1.0) == -1).float().mean((1, 2, 3))
    assert shares.min() < 0.3
    assert shares.max() > 0.7
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", [GaussianNoise, Masking, SaltAndPepper])
def test_features_of_any_shape_and_strength_zero(kind) -> None:
    features = torch.rand(5, 7)
    assert torch.equal(kind(0.0)(features, 0.0, features.amax()), features)


@pytest.mark.parametrize("strength", [-0.1, 1.2, [0.5, 0.2], [0.1, 0.2, 0.3]])
def test_impossible_strengths_are_refused(strength) -> None:
    for kind in (Masking, SaltAndPepper):
        with pytest.raises(ValueError, match="share="):
            kind(strength)
