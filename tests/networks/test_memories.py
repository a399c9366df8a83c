import torch
from torch import nn

from genlab.networks import PastWeights, Replay


def test_a_full_pool_gives_half_of_the_batch_and_takes_as_much() -> None:
    replay = Replay(resolution=2, channels=1, size=6)
    first = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    assert torch.equal(replay(first, {})[0], first)
    replay(first + 10, {})
    assert int(replay.filled) == 6
    assert sorted(replay.pool[:, 0, 0, 0].tolist()) == [0, 1, 2, 3, 10, 11]
    seen = replay(first + 20, {})[0][:, 0, 0, 0].tolist()
    assert seen[2:] == [22, 23]
    assert set(seen[:2]) < {0, 1, 2, 3, 10, 11}
    held = set(replay.pool[:, 0, 0, 0].tolist())
    assert {20, 21} < held
    assert not set(seen[:2]) & held


def test_labels_come_back_with_their_images() -> None:
    replay = Replay(resolution=2, channels=1, size=6, labels=["kind"])
    for start in range(0, 40, 4):
        numbers = torch.arange(start, start + 4)
        fakes = numbers.view(4, 1, 1, 1).expand(4, 1, 2, 2).float()
        seen, told = replay(fakes, {"kind": numbers, "other": numbers})
        assert torch.equal(seen[:, 0, 0, 0], told["kind"].float())
    assert "labels.kind" in replay.state_dict()
    assert "labels.kind" not in Replay(resolution=2, channels=1).state_dict()


def test_fakes_of_an_earlier_stage_come_back_at_the_size_of_this_one() -> None:
    replay = Replay(resolution=8, channels=1, size=4)
    small, large = torch.rand(4, 1, 2, 2), torch.rand(4, 1, 4, 4)
    replay(small, {})
    seen = replay(large, {})[0]
    assert torch.equal(seen[2:], large[2:])
    enlarged = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for picture in seen[:2]:
        assert any(torch.equal(picture, old) for old in enlarged)


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
