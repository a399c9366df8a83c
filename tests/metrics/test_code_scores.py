import math

import pytest
import torch

from genlab.metrics import active_units, activity, linear_probe, nearest_neighbours, perplexity


def clusters(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    centres = torch.tensor([[4.0, 0.0], [0.0, 4.0], [-4.0, -4.0]])
    return centres[labels] + torch.randn(count, 2, generator=generator), labels


def test_separate_clusters_are_told_apart_and_noise_is_not() -> None:
    codes, labels = clusters(300, 0)
    others, truth = clusters(300, 1)
    assert linear_probe(codes, labels, others, truth) > 0.98
    assert nearest_neighbours(codes, labels, others, truth) > 0.98
    noise = torch.randn(300, 2, generator=torch.Generator().manual_seed(2))
    assert linear_probe(noise, labels, noise, truth) < 0.5


def test_a_ring_is_for_neighbours_and_not_for_lines() -> None:
    angles = torch.rand(600, generator=torch.Generator().manual_seed(0)) * 2 * math.pi
    labels = (torch.arange(600) % 2).long()
    codes = torch.stack([angles.cos(), angles.sin()], 1) * (1.0 + 2 * labels[:, None])
    assert nearest_neighbours(codes[:400], labels[:400], codes[400:], labels[400:]) == 1.0
    assert linear_probe(codes[:400], labels[:400], codes[400:], labels[400:]) < 0.7


def test_a_single_class_has_no_probe_to_fit() -> None:
    codes, same = torch.randn(20, 2), torch.zeros(20, dtype=torch.long)
    assert linear_probe(codes, same, codes, same) == 1.0


def test_active_units_vary_with_the_image() -> None:
    means = torch.cat([torch.randn(500, 3), 0.05 * torch.randn(500, 2)], 1)
    assert active_units(means) == 3


def test_activity_of_known_codes() -> None:
    mean, share = activity(torch.tensor([[0.0, 0.2], [-0.4, 0.0]]))
    assert mean == pytest.approx(0.15)
    assert share == 0.5


def test_perplexity_counts_entries_in_use() -> None:
    assert perplexity(torch.arange(8).repeat(3, 2)) == pytest.approx(8.0)
    assert perplexity(torch.zeros(5, 4, dtype=torch.long)) == pytest.approx(1.0)
