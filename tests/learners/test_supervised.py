import functools

import pytest
import torch

from genlab.learners import Supervised
from genlab.learners.learner import Engine
from genlab.networks import Classifier, CodeEncoder, GaussianBottleneck, convolutional

CLASSES = {"label": ["a", "b", "c"], "hair": ["none", "long"]}


def learner() -> Supervised:
    torch.manual_seed(0)
    encoder = CodeEncoder(
        convolutional.Encoder(16, 1, width=4), functools.partial(GaussianBottleneck, codes=3)
    )
    return Supervised(Classifier(encoder, CLASSES, activation="linear"), torch.optim.Adam)


@pytest.mark.parametrize("trainable", [0, 1, 2, None])
def test_frozen_blocks_do_not_change(monkeypatch: pytest.MonkeyPatch, trainable) -> None:
    """Three blocks: two convolutions and the codes; batch statistics stay too."""
    model = learner().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model.engine = Engine([optimizer])
    stage = {} if trainable is None else {"trainable": trainable}
    monkeypatch.setattr(Supervised, "stage", stage)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    labels = {"label": torch.tensor([0, 1, 2, 0]), "hair": torch.tensor([0, 1, 0, 1])}
    for _ in range(2):
        model.play(torch.randn(4, 1, 16, 16), labels)
    blocks = model.classifier.encoder.blocks
    frozen = 0 if trainable is None else len(blocks) - trainable
    for index in range(len(blocks)):
        prefix = f"classifier.encoder.blocks.{index}."
        names = [name for name in before if name.startswith(prefix)]
        same = all(torch.equal(before[name], model.state_dict()[name]) for name in names)
        assert same == (index < frozen), index
    assert not torch.equal(
        before["classifier.heads.label.weight"], model.classifier.heads["label"].weight
    )


def test_codes_are_the_posteriors_mean_also_in_training() -> None:
    encoder = learner().classifier.encoder.train()
    images = torch.randn(2, 1, 16, 16)
    assert encoder(images).shape == (2, 3)
    features = torch.ones(1, 8, 4, 4)
    assert torch.equal(encoder.blocks[-1](features), encoder.blocks[-1](features))


def test_accuracy_of_every_label_is_measured() -> None:
    model = learner().eval()
    labels = {"label": torch.tensor([0, 1]), "hair": torch.tensor([0, 1])}
    measured = model.measure(torch.randn(2, 1, 16, 16), labels)
    assert set(measured) == {"accuracy/label", "accuracy/hair"}
    assert all(set(values.tolist()) <= {0.0, 1.0} for values in measured.values())
