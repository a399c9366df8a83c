from types import SimpleNamespace

import torch

from genlab.remedies import Replay


def test_a_full_pool_gives_half_of_the_batch_and_takes_as_much() -> None:
    replay = Replay(resolution=2, channels=1, size=6)
    first = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    assert torch.equal(replay.replay(first, {})[0], first)
    replay.replay(first + 10, {})
    assert int(replay.filled) == 6
    assert sorted(replay.pool[:, 0, 0, 0].tolist()) == [0, 1, 2, 3, 10, 11]
    seen = replay.replay(first + 20, {})[0][:, 0, 0, 0].tolist()
    assert seen[2:] == [22, 23]
    assert set(seen[:2]) < {0, 1, 2, 3, 10, 11}
    held = set(replay.pool[:, 0, 0, 0].tolist())
    assert {20, 21} < held
    assert not set(seen[:2]) & held


def test_labels_come_back_with_their_images() -> None:
    replay = Replay(resolution=2, channels=1, size=6)
    replay.attach(SimpleNamespace(labels=["kind"]), None)
    for start in range(0, 40, 4):
        numbers = torch.arange(start, start + 4)
        fakes = numbers.view(4, 1, 1, 1).expand(4, 1, 2, 2).float()
        seen, told = replay.replay(fakes, {"kind": numbers, "other": numbers})
        assert torch.equal(seen[:, 0, 0, 0], told["kind"].float())
    assert "labels.kind" in replay.state_dict()
    assert "labels.kind" not in Replay(resolution=2, channels=1).state_dict()


def test_fakes_of_an_earlier_stage_come_back_at_the_size_of_this_one() -> None:
    replay = Replay(resolution=8, channels=1, size=4)
    small, large = torch.rand(4, 1, 2, 2), torch.rand(4, 1, 4, 4)
    replay.replay(small, {})
    seen = replay.replay(large, {})[0]
    assert torch.equal(seen[2:], large[2:])
    enlarged = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for picture in seen[:2]:
        assert any(torch.equal(picture, old) for old in enlarged)
