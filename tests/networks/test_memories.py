import torch
from torch import nn

from genlab.networks import PastWeights, Replay


def test_a_full_pool_gives_half_of_the_batch_and_takes_as_much() -> None:
    replay = Replay(resolution=2, channels=1, size=6)
    first = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    assert torch.equal(replay(first), first)
    replay(first + 10)
    assert int(replay.filled) == 6
    assert sorted(replay.pool[:, 0, 0, 0].tolist()) == [0, 1, 2, 3, 10, 11]
    seen = replay(first + 20)[:, 0, 0, 0].tolist()
    assert seen[2:] == [22, 23]
    assert set(seen[:2]) < {0, 1, 2, 3, 10, 11}
    held = set(replay.pool[:, 0, 0, 0].tolist())
    assert {20, 21} < held
    assert not set(seen[:2]) & held


def test_past_weights_are_the_mean_of_all() -> None:
    network = nn.Linear(2, 1, bias=False)
    past, weights = PastWeights(network), [network.weight.detach().clone()]
    for _ in range(5):
        network.weight.data.normal_()
        weights.append(network.weight.detach().clone())
        past.update(network)
    mean = torch.stack(weights).mean(0)
    torch.testing.assert_close(past.means[0], mean)
    torch.testing.assert_close(past(network), (network.weight - mean).square().sum())
    assert all(p.requires_grad for p in network.parameters())
