"""Labels as input of a network."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Chosen = Mapping[str, str | int | Tensor]
"""Classes by label: one for all, by its name or number, or (B,) numbers, one for each image."""


class Condition(nn.Module):
    """Named labels (B,) to their one-hot vectors side by side, (B, width).

    Args:
        classes: class names by label name, as the data set has them ("auto" on a page).
        labels: the labels to use; None for all.
    """

    def __init__(
        self, classes: Mapping[str, Sequence[str]], labels: Sequence[str] | None = None
    ) -> None:
        super().__init__()
        names = list(classes) if labels is None else list(labels)
        for name in names:
            if name not in classes:
                raise ValueError(f"labels: no {name!r} among {', '.join(classes)}")
        if not names:
            raise ValueError("labels=[] is empty: name at least one")
        self.classes = {name: list(classes[name]) for name in names}
        self.width = sum(map(len, self.classes.values()))

    def forward(self, labels: Mapping[str, Tensor] | None) -> Tensor:
        """(B,) labels by name to (B, width)."""
        if labels is None:
            raise ValueError(f"the labels {', '.join(self.classes)} are needed")
        return torch.cat(
            [F.one_hot(labels[name], len(kinds)) for name, kinds in self.classes.items()], 1
        ).float()

    def draw(self, count: int, generator: torch.Generator, chosen: Chosen) -> Tensor:
        """(count, width) for new images: `chosen` classes, else in turn.

        The first label runs through its classes; further ones are drawn from the generator.
        Raises ValueError for a label or class that does not exist.
        """
        for name in chosen:
            if name not in self.classes:
                raise ValueError(f"labels.{name}: the labels are {', '.join(self.classes)}")
        drawn: dict[str, Tensor] = {}
        for position, (name, kinds) in enumerate(self.classes.items()):
            if name in chosen:
                drawn[name] = self._numbers(name, chosen[name], count)
            elif position == 0:
                drawn[name] = torch.arange(count) % len(kinds)
            else:
                drawn[name] = torch.randint(len(kinds), (count,), generator=generator)
        result: Tensor = self(drawn)
        return result

    def labels_of(self, condition: Tensor) -> dict[str, Tensor]:
        """The labels (B,) by name that (B, width) stands for."""
        parts = condition.split([len(kinds) for kinds in self.classes.values()], dim=1)
        return {name: part.argmax(1) for name, part in zip(self.classes, parts, strict=True)}

    def _numbers(self, name: str, wanted: str | int | Tensor, count: int) -> Tensor:
        if isinstance(wanted, Tensor):
            return wanted
        return torch.full((count,), self._index(name, wanted))

    def _index(self, name: str, wanted: str | int) -> int:
        kinds = self.classes[name]
        if str(wanted) in kinds:
            return kinds.index(str(wanted))
        if isinstance(wanted, int) and 0 <= wanted < len(kinds):
            return wanted
        raise ValueError(f"labels.{name}={wanted} is none of {', '.join(kinds)}")
