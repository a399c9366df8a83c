import pytest
import torch

from genlab.remedies.augmentation import AdaptiveAugmentation, DifferentiableAugmentation
from genlab.remedies.transformations import moved


@pytest.fixture
def images() -> torch.Tensor:
    return (torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1) * 0.9


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "augmentation", [DifferentiableAugmentation(), AdaptiveAugmentation(p=1.0)]
)
def test_images_change_and_pass_gradients(images, channels, augmentation) -> None:
    images = images[:, :channels].requires_grad_()
    shown = augmentation(images)
    assert shown.shape == images.shape
    assert shown.isfinite().all()
    assert not torch.equal(shown, images)
    (gradient,) = torch.autograd.grad(shown.square().sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_translation_moves_whole_pixels_and_lets_grey_in(images) -> None:
    torch.manual_seed(1)
    shown = DifferentiableAugmentation(colour=False, cutout=False)(images)
    for picture, shifted in zip(images, shown, strict=True):
        shifts = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if torch.equal(
                torch.roll(picture, (-dy, -dx), (1, 2))[:, 2:14, 2:14], shifted[:, 2:14, 2:14]
            )
        ]
        assert len(shifts) == 1
    assert (shown == 0).any()


def test_cutout_blanks_at_most_a_square_of_half_the_width(images) -> None:
    shown = DifferentiableAugmentation(colour=False, translation=False)(images)
    blank = (shown == 0).all(1)
    assert (blank.sum((1, 2)) > 0).all()
    assert (blank.sum((1, 2)) <= 64).all()
    assert torch.equal(
        shown[~(blank[:, None].expand_as(shown))], images[~(blank[:, None].expand_as(shown))]
    )


def test_without_probability_adaptive_augmentation_is_the_identity(images) -> None:
    torch.testing.assert_close(AdaptiveAugmentation(p=0.0)(images), images, atol=1e-5, rtol=0)


def test_adaptive_augmentation_computes_in_single_precision(images) -> None:
    seen = []
    for mixed in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            seen.append(AdaptiveAugmentation(p=1.0)(images))
    assert torch.equal(*seen)


def grey_pictures(value: float, count: int = 4000) -> torch.Tensor:
    return torch.full((count, 3, 1, 1), value)


def test_adaptive_colours_have_the_papers_strengths() -> None:
    """Karras et al. 2020, appendix B: brightness N(0, .2), hue anywhere, luma flipped by halves."""
    torch.manual_seed(0)
    augment = AdaptiveAugmentation(p=1.0)
    black = augment(grey_pictures(0.0)).flatten(1)
    # Brightness, then a contrast of exp2(N(0, .5)), then a sign: medians of absolute values.
    expected = (0.2 * torch.randn(4000) * torch.exp2(0.5 * torch.randn(4000))).abs().median()
    assert black.abs().median().item() == pytest.approx(expected.item(), rel=0.1)
    assert (black > 0).float().mean().item() == pytest.approx(0.5, abs=0.05)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(4000, -1, -1, -1)
    hues = augment(red)[:, :, 0, 0]
    hues = hues - hues.mean(1, keepdim=True)
    strongest = torch.bincount(hues.argmax(1), minlength=3) / 4000
    assert strongest.tolist() == pytest.approx([1 / 3] * 3, abs=0.05)


def test_adaptive_moves_throw_one_coin_each() -> None:
    """With probability (1 - p)^n of the n transformations none moves a picture."""
    torch.manual_seed(0)
    spot = torch.zeros(2000, 1, 9, 9)
    spot[:, :, 1, 2] = 1.0
    p = 0.2
    still = (moved(spot, p) - spot).abs().amax((1, 2, 3)) < 1e-5
    # Flips and turns by a quarter draw "none" at times as well; shifts by whole pixels of 1, too.
    seldom = (1 - p / 2) * (1 - p * 3 / 4) * (1 - p) ** 5
    often = (1 - p / 2) * (1 - p * 3 / 4) * (1 - p) ** 4
    assert seldom - 0.03 < still.float().mean() < often + 0.03


def test_p_rises_while_the_critic_overfits_and_falls_else() -> None:
    augmentation = AdaptiveAugmentation(target=0.6, speed_images=1000, interval=4)
    for _ in range(3):
        augmentation.observe(torch.tensor(0.9), 50)
    assert augmentation.p == 0
    augmentation.observe(torch.tensor(0.9), 50)
    assert augmentation.p == pytest.approx(0.2)
    for _ in range(4):
        augmentation.observe(torch.tensor(0.5), 25)
    assert augmentation.p == pytest.approx(0.1)
    for _ in range(400):
        augmentation.observe(torch.tensor(1.0), 25)
    assert augmentation.p == 1
