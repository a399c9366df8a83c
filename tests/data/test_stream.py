import numpy as np
import pytest
import torch

from genlab.data import ImageSet
from genlab.data.stream import Stream, mix, shifted


@pytest.fixture
def image_set() -> ImageSet:
    """Image i has the value i in its left column and 0 elsewhere, and the label i."""
    images = np.zeros((50, 1, 2, 2), np.uint8)
    images[:, 0, :, 0] = np.arange(50)[:, None]
    return ImageSet(images, {"label": np.arange(50)}, {"label": list("x" * 50)}, "", None)


def stream(image_set: ImageSet, **settings) -> Stream:
    size = settings.pop("batch_size", 8)
    groups = settings.pop("groups", [np.arange(40)])
    given = {"seed": 3, "images_seen": lambda: 0, **settings}
    return Stream(image_set, groups, lambda: size, **given)


def test_an_epoch_shows_every_image_once_across_epochs_without_a_gap(image_set) -> None:
    batches = stream(image_set, batch_size=16)
    seen = torch.cat([batches.at(position).labels["label"] for position in range(0, 80, 16)])
    assert sorted(seen[:40].tolist()) == list(range(40))
    assert sorted(seen[40:80].tolist()) == list(range(40))
    assert seen[:40].tolist() != seen[40:80].tolist()


def test_a_batch_depends_on_the_position_alone(image_set) -> None:
    first = stream(image_set)
    for position in (0, 8, 16, 400):
        first.at(position)
    assert torch.equal(first.at(72).images, stream(image_set).at(72).images)
    assert not torch.equal(stream(image_set, seed=4).at(72).images, first.at(72).images)


def test_ranks_share_an_epoch(image_set) -> None:
    parts = [stream(image_set, rank=rank).at(16).labels["label"] for rank in range(2)]
    whole = stream(image_set, batch_size=16).at(16).labels["label"]
    assert torch.equal(torch.cat(parts), whole)


def test_flip_mirrors_about_half_and_repeats(image_set) -> None:
    flipped = stream(image_set, batch_size=40, flip=True).at(0)
    plain = stream(image_set, batch_size=40).at(0)
    mirrored = [
        torch.equal(a, b.flip(-1)) for a, b in zip(flipped.images, plain.images, strict=True)
    ]
    same = [torch.equal(a, b) for a, b in zip(flipped.images, plain.images, strict=True)]
    assert all(a or b for a, b in zip(mirrored, same, strict=True))
    assert 10 < sum(mirrored) < 30
    assert torch.equal(flipped.images, stream(image_set, batch_size=40, flip=True).at(0).images)


def test_labels_travel_with_their_images(image_set) -> None:
    batch = stream(image_set).at(8)
    assert torch.equal(batch.images[:, 0, 0, 0].long(), batch.labels["label"])


def test_mix_spreads_and_tells_order_apart() -> None:
    seeds = {mix(a, b) for a in range(50) for b in range(50)}
    assert len(seeds) == 2500
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert mix(1, 2) != mix(2, 1)


def test_batches_are_balanced_over_groups_of_any_size(image_set) -> None:
    """Every batch has half of each; the small group is shown four times as often."""
    groups = [np.arange(32), np.arange(40, 48)]
    balanced = stream(image_set, groups=groups, batch_size=8)
    seen = [balanced.at(position).labels["label"] for position in range(0, 64, 8)]
    for labels in seen:
        assert (labels[:4] < 32).all()
        assert (labels[4:] >= 40).all()
    counts = torch.bincount(torch.cat(seen), minlength=50)
    assert (counts[:32] == 1).all()
    assert (counts[40:48] == 4).all()
    assert torch.equal(balanced.at(24).images, stream(image_set, groups=groups).at(24).images)


def test_ranks_share_balanced_epochs(image_set) -> None:
    groups = [np.arange(32), np.arange(40, 48)]
    parts = [stream(image_set, groups=groups, rank=rank).at(16).labels["label"] for rank in (0, 1)]
    whole = stream(image_set, groups=groups, batch_size=16).at(16).labels["label"]
    assert sorted(torch.cat(parts).tolist()) == sorted(whole.tolist())


def test_shifts_repeat_the_border() -> None:
    image = torch.arange(9, dtype=torch.uint8).view(1, 1, 3, 3)
    moved = shifted(image.repeat(3, 1, 1, 1), torch.tensor([[0, 1, 0], [0, 0, -2]]))
    assert torch.equal(moved[0], image[0])
    assert moved[1, 0].tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    assert moved[2, 0].tolist() == [[2, 2, 2], [5, 5, 5], [8, 8, 8]]


def test_shifts_repeat_with_the_position(image_set) -> None:
    first, again = (stream(image_set, crop=1).at(16).images for _ in range(2))
    assert torch.equal(first, again)
    plain = stream(image_set).at(16).images
    same = [torch.equal(a, b) for a, b in zip(first, plain, strict=True)]
    assert 0 < sum(same) < 8
