"""The step that changes one attribute of pictures and leaves the others, for every code its own."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.latent import Step
from genlab.verbs.attributes import Attribute, Judge, noise_like
from genlab.verbs.spaces import Space

STEPS = 400  # that it is learned in
BATCH = 32  # pictures in each
RATE = 0.03  # of what all codes have in common, in standard deviations along every axis
MATRIX_RATE = 0.003  # of what depends on the code
MARGIN = 3.0  # log odds that pictures should have the attribute with
KEEPING = 6.0  # weight of the mean change of other labels, in nats
RIDGE = 0.01  # of the squared length, in standard deviations


def learned(
    space: Space, judge: Judge, attribute: Attribute, codes: Tensor, held: Tensor, seed: int
) -> Step:
    """A linear function of codes that gives pictures the attribute, or takes it away.

    As by Yao et al. 2021 (A Latent Transformer for Disentangled Face Editing, section 3.1,
    https://arxiv.org/abs/2106.11895): forth where pictures lack the attribute, back where they have
    it, and the probabilities of all other labels stay as they were. The attribute is seen through
    noise, so that it is drawn for all to see, other labels without, as noise hides small ones. All
    layers take the same function: one of each layer's own leads out of what the generator draws
    well.

    Args:
        codes: (N, layers, n), to learn from.
        held: whether their pictures have the attribute, bool (N,), some of them and not all.
        seed: of what is drawn.
    """
    device = space.opened.device
    change = _Change(space.free(codes)[:, 0]).to(device)
    optimizer = torch.optim.Adam(
        [
            {"params": [change.offset], "lr": RATE},
            {"params": [change.matrix], "lr": MATRIX_RATE},
        ]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    generator = torch.Generator().manual_seed(seed)
    before = _shown(space, judge, codes)
    others = sorted(before.keys() - judge.kin(attribute.label))
    sides = held.nonzero()[:, 0], (~held).nonzero()[:, 0]
    for _ in range(STEPS):
        rows = torch.cat(
            [side[torch.randint(len(side), (BATCH // 2,), generator=generator)] for side in sides]
        )
        given = codes[rows].to(device)
        wanted = torch.where(held[rows], -1.0, 1.0).to(device)
        white = change(space.free(given))
        moved = given + wanted[:, None, None] * space.moves(white @ change.axes, given)
        pictures = space.generate(moved)
        noisy = judge.log_probabilities(pictures, noise_like(pictures, generator))
        loss = F.softplus(MARGIN - wanted * attribute.log_odds(noisy)).mean()
        loss = loss + RIDGE * white.square().sum(-1).mean()
        if others:
            told = judge.log_probabilities(pictures)
            was = {label: before[label][rows.to(device)] for label in others}
            loss = loss + KEEPING * _divergence(was, told)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return change.step()


@torch.no_grad()
def _shown(space: Space, judge: Judge, codes: Tensor) -> dict[str, Tensor]:
    """Log probabilities (N, classes) by label of what pictures of codes show."""
    parts = [
        judge.log_probabilities(space.generate(part.to(space.opened.device)))
        for part in codes.split(BATCH)
    ]
    return {label: torch.cat([part[label] for part in parts]) for label in parts[0]}


class _Change(nn.Module):
    """Codes (..., m) to steps in standard deviations along the axes that codes (N, m) vary on."""

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        values, vectors = torch.linalg.eigh(torch.cov(codes.T.double()))
        deviations = values.clamp(min=1e-6 * float(values.max())).sqrt()
        self.whiten = nn.Buffer((vectors / deviations).float())
        self.axes = nn.Buffer((vectors * deviations).T.float())
        self.mean = nn.Buffer(codes.mean(0))
        self.offset = nn.Parameter(torch.zeros(codes.shape[1]))
        self.matrix = nn.Parameter(torch.zeros(codes.shape[1], codes.shape[1]))

    def forward(self, codes: Tensor) -> Tensor:
        return self.offset + (codes - self.mean) @ self.whiten @ self.matrix

    @torch.no_grad()
    def step(self) -> Step:
        """In the codes' own coordinates, on the CPU."""
        slope = self.whiten @ self.matrix @ self.axes
        return Step((self.offset @ self.axes - self.mean @ slope).cpu(), slope.cpu())


def _divergence(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Tensor:
    """How far log probabilities (B, classes) have moved, in nats, on average over labels."""
    return torch.stack(
        [
            F.kl_div(after[label], was, log_target=True, reduction="batchmean")
            for label, was in before.items()
        ]
    ).mean()
