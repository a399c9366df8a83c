import pytest
import torch

from genlab.networks.augmentations import AdaptiveAugmentation, DifferentiableAugmentation


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


def test_translation_moves_whole_pixels_and_lets_black_in(images) -> None:
    torch.manual_seed(1)
    shown = DifferentiableAugmentation(colour=False, cutout=False)(images)
    for picture, moved in zip(images, shown, strict=True):
        shifts = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if torch.equal(
                torch.roll(picture, (-dy, -dx), (1, 2))[:, 2:14, 2:14], moved[:, 2:14, 2:14]
            )
        ]
        assert len(shifts) == 1
    assert (shown == -1).any()


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


def test_p_rises_while_the_critic_overfits_and_falls_else() -> None:
    augmentation = AdaptiveAugmentation(target=0.6, speed_images=1000, interval=4)
    for _ in range(3):
        augmentation.observe(torch.tensor(0.9), 50)
    assert augmentation.p == 0
    augmentation.observe(torch.tensor(0.9), 50)
    assert augmentation.p.item() == pytest.approx(0.2)
    for _ in range(4):
        augmentation.observe(torch.tensor(0.5), 25)
    assert augmentation.p.item() == pytest.approx(0.1)
    for _ in range(400):
        augmentation.observe(torch.tensor(1.0), 25)
    assert augmentation.p == 1
