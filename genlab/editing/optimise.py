"""How codes change so that their pictures show an attribute and stay as they are else."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.editing.attributes import Attribute, Judge, Targets, noise_like
from genlab.editing.space import Space
from genlab.latent import Step

STEPS = 400  # that it is learned in
BATCH = 32  # pictures in each
RATE = 0.03  # of what all codes have in common, in standard deviations along every axis
MATRIX_RATE = 0.003  # of what depends on the code
MARGIN = 3.0  # log odds that pictures should have the attribute with
KEEPING = 6.0  # weight of the mean change of other labels, in nats
RIDGE = 0.01  # of the squared length, in standard deviations
SETTLE_BATCH = 64  # pictures that are settled at once
SETTLE_RATE = 0.12  # in standard deviations
SETTLE_MARGIN = 12.0
SETTLE_KEEPING = 40.0
STAYING = 9_000.0  # weight of the mean squared change of pixels on [-1, 1]
MOVING = 0.45  # pixels that a step changes by less than this share of the largest change stay


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
    device = space.loaded.device
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


def settled(
    space: Space,
    judge: Judge,
    targets: Targets,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor,
    stay: Tensor,
    steps: int,
    seed: int,
) -> Tensor:
    """Codes near `ends`, each found by itself, of pictures that meet the targets and stay else.

    A step leads to where most codes' pictures are as asked; from there every layer of every code
    goes its own way, by Adam: the attributes are seen through noise, the other labels and, where
    the step changes little, the pixels stay as they were at the starts.

    Args:
        starts, ends: (N, layers, n).
        axes: (m, m), rows of one standard deviation of the free numbers of codes.
        stay: (H, W), how much each pixel should stay, 1 on average.
        steps: of Adam.
        seed: of the noise.
    """
    device = space.loaded.device
    generator = torch.Generator().manual_seed(seed)
    kin = set().union(*(judge.kin(attribute.label) for attribute in targets))
    axes, stay = axes.to(device), stay.to(device)
    found = []
    for given, end in zip(
        starts.to(device).split(SETTLE_BATCH), ends.to(device).split(SETTLE_BATCH), strict=True
    ):
        with torch.no_grad():
            pictures_before = space.generate(given)
            before = judge.log_probabilities(pictures_before)
        others = {label: before[label] for label in sorted(before.keys() - kin)}
        white = torch.zeros(*end.shape[:2], len(axes), device=device, requires_grad=True)
        optimizer = torch.optim.Adam([white], SETTLE_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(steps):
            pictures = space.generate(end + space.moves(white @ axes, end))
            noisy = judge.log_probabilities(pictures, noise_like(pictures, generator))
            loss = RIDGE * white.square().sum(-1).mean()
            for attribute, wanted in targets.items():
                odds = attribute.log_odds(noisy)
                loss = loss + F.softplus(SETTLE_MARGIN - (odds if wanted else -odds)).mean()
            changed = (pictures - pictures_before).square().mean((0, 1))
            loss = loss + STAYING * (stay * changed).mean()
            if others:
                told = judge.log_probabilities(pictures)
                loss = loss + SETTLE_KEEPING * _divergence(others, told)
            optimizer.zero_grad()
            # Of all codes' losses, as each is found by itself.
            (loss * len(end)).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            found.append((end + space.moves(white @ axes, end)).cpu())
    return torch.cat(found)


def staying(before: Tensor, after: Tensor) -> Tensor:
    """How much each pixel (H, W) should stay, where pictures (N, C, H, W) change so on average.

    Not at all or all the same, 1 on average.
    """
    change = (after.float() - before.float()).abs().mean((0, 1))
    stays = (change <= MOVING * change.max()).float()
    return stays / stays.mean().clamp(min=1 / stays.numel())


def axes_of(codes: Tensor) -> Tensor:
    """Codes (N, m) to rows (m, m) of one standard deviation along the axes that they vary on."""
    return _Change(codes).axes


@torch.no_grad()
def _shown(space: Space, judge: Judge, codes: Tensor) -> dict[str, Tensor]:
    """Log probabilities (N, classes) by label of what pictures of codes show."""
    parts = [
        judge.log_probabilities(space.generate(part.to(space.loaded.device)))
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
