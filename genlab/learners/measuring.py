"""Measures of a learner over many batches."""

from collections.abc import Iterable

from genlab.data.stream import Batch, on_device
from genlab.learners.abilities import Measures
from genlab.learners.learner import Learner, evaluating, seed_noise


def summed(learner: Learner, batches: Iterable[Batch]) -> tuple[dict[str, float], int]:
    """The sums of the learner's measures over batches, and the number of images."""
    sums: dict[str, float] = {}
    count = 0
    assert isinstance(learner, Measures)
    with evaluating(learner):
        for number, batch in enumerate(batches):
            seed_noise(number)  # of corruptions: the same in every measurement
            images, labels = on_device(batch, learner.device)
            measured = learner.measure(learner.prepare(images), labels)
            for name, values in measured.items():
                sums[name] = sums.get(name, 0.0) + values.double().sum().item()
            count += len(batch.images)
    return sums, count
