import torch
from torch import nn

from genlab.remedies.history import HistoricalAverage


def test_past_weights_are_the_mean_of_all() -> None:
    network = nn.Linear(2, 1, bias=False)
    past, weights = HistoricalAverage(network), [network.weight.detach().clone()]
    for _ in range(5):
        network.weight.data.normal_()
        weights.append(network.weight.detach().clone())
        past.update(network)
    mean = torch.stack(weights).mean(0)
    torch.testing.assert_close(past.means[0], mean)
    torch.testing.assert_close(past(network), (network.weight - mean).square().sum())
    assert all(p.requires_grad for p in network.parameters())
