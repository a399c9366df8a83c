"""Learned edits: codes change so that their images gain an attribute and keep everything else."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.data.progress import tracked_steps
from genlab.editing.attribute_classifier import Attribute, AttributeClassifier, Targets, noise_like
from genlab.editing.space import LatentSpace
from genlab.latent import LatentDirection

STEPS = 400  # of Adam, for a direction
BATCH = 32  # images in each
RATE = 0.03  # of the part that all codes share, in standard deviations along every axis
MATRIX_RATE = 0.003  # of the part that depends on the code
MARGIN = 3.0  # log odds that the attribute should reach
OTHER_LABELS_WEIGHT = 6.0  # weight of the mean change of other labels, in nats
RIDGE = 0.01  # of the squared length, in standard deviations
REFINE_BATCH = 64  # images
REFINE_RATE = 0.12  # in standard deviations
REFINE_MARGIN = 12.0
REFINE_OTHER_LABELS_WEIGHT = 40.0
PIXELS_WEIGHT = 9_000.0  # weight of the mean squared change of pixels on [-1, 1]
CHANGED_SHARE = 0.45  # of the largest change: pixels that a direction changes less should stay


def learn_direction(
    space: LatentSpace,
    classifier: AttributeClassifier,
    attribute: Attribute,
    codes: Tensor,
    has_attribute: Tensor,
    seed: int,
) -> LatentDirection:
    """A linear function of codes that adds the attribute to images, or removes it.

    As by Yao et al. 2021 (A Latent Transformer for Disentangled Face Editing, section 3.1,
    https://arxiv.org/abs/2106.11895): codes move forwards if their images lack the attribute, and
    backwards if they have it, while the probabilities of all other labels should not change. The
    attribute is classified with noise, so that the change is clearly visible, the other labels
    without, because noise hides small ones. All layers share one function: separate ones leave the
    region in which the generator makes good images.

    Args:
        codes: (N, layers, n), to learn from.
        has_attribute: whether their images have the attribute, bool (N,), neither all nor none.
        seed: of batches and noise.
    """
    device = space.loaded.device
    change = _DirectionModule(space.free(codes)[:, 0]).to(device)
    optimizer = torch.optim.Adam(
        [
            {"params": [change.offset], "lr": RATE},
            {"params": [change.matrix], "lr": MATRIX_RATE},
        ]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    generator = torch.Generator().manual_seed(seed)
    before = _log_probabilities(space, classifier, codes)
    others = sorted(before.keys() - classifier.related_labels(attribute.label))
    sides = has_attribute.nonzero()[:, 0], (~has_attribute).nonzero()[:, 0]
    for _ in tracked_steps("learning the direction", STEPS):
        rows = torch.cat(
            [side[torch.randint(len(side), (BATCH // 2,), generator=generator)] for side in sides]
        )
        given = codes[rows].to(device)
        wanted = torch.where(has_attribute[rows], -1.0, 1.0).to(device)
        white = change(space.free(given))
        moved = given + wanted[:, None, None] * space.moves(white @ change.axes, given)
        images = space.generate(moved)
        noisy = classifier.log_probabilities(images, noise_like(images, generator))
        loss = F.softplus(MARGIN - wanted * attribute.log_odds(noisy)).mean()
        loss = loss + RIDGE * white.square().sum(-1).mean()
        if others:
            after = classifier.log_probabilities(images)
            was = {label: before[label][rows.to(device)] for label in others}
            loss = loss + OTHER_LABELS_WEIGHT * _divergence(was, after)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return change.direction()


def refine(
    space: LatentSpace,
    classifier: AttributeClassifier,
    targets: Targets,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor,
    keep: Tensor,
    steps: int,
    seed: int,
) -> Tensor:
    """Codes near `ends` whose images meet the targets and else stay like those of `starts`.

    A direction is right for most codes; from its ends, Adam optimises every layer of every code by
    itself. The attributes are classified with noise; the other labels, and the pixels that the
    direction changes little, should stay as they are at the starts.

    Args:
        starts, ends: codes (N, layers, n) before and after the move along the direction.
        axes: (m, m), rows of one standard deviation of the free numbers of codes.
        keep: (H, W), weights by which each pixel should stay, 1 on average.
        steps: of Adam.
        seed: of the noise.
    """
    device = space.loaded.device
    generator = torch.Generator().manual_seed(seed)
    related = set().union(*(classifier.related_labels(attribute.label) for attribute in targets))
    axes, keep = axes.to(device), keep.to(device)
    found = []
    for given, end in zip(
        starts.to(device).split(REFINE_BATCH), ends.to(device).split(REFINE_BATCH), strict=True
    ):
        with torch.no_grad():
            images_before = space.generate(given)
            before = classifier.log_probabilities(images_before)
        others = {label: before[label] for label in sorted(before.keys() - related)}
        white = torch.zeros(*end.shape[:2], len(axes), device=device, requires_grad=True)
        optimizer = torch.optim.Adam([white], REFINE_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(steps):
            images = space.generate(end + space.moves(white @ axes, end))
            noisy = classifier.log_probabilities(images, noise_like(images, generator))
            loss = RIDGE * white.square().sum(-1).mean()
            for attribute, wanted in targets.items():
                odds = attribute.log_odds(noisy)
                loss = loss + F.softplus(REFINE_MARGIN - (odds if wanted else -odds)).mean()
            changed = (images - images_before).square().mean((0, 1))
            loss = loss + PIXELS_WEIGHT * (keep * changed).mean()
            if others:
                after = classifier.log_probabilities(images)
                loss = loss + REFINE_OTHER_LABELS_WEIGHT * _divergence(others, after)
            optimizer.zero_grad()
            # The sum over codes, since each is optimised by itself.
            (loss * len(end)).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            found.append((end + space.moves(white @ axes, end)).cpu())
    return torch.cat(found)


def keep_mask(before: Tensor, after: Tensor) -> Tensor:
    """Weights (H, W) of pixels that change little between images (N, C, H, W), 0 for the others.

    Equal for all pixels that should stay, 1 on average.
    """
    change = (after.float() - before.float()).abs().mean((0, 1))
    stays = (change <= CHANGED_SHARE * change.max()).float()
    return stays / stays.mean().clamp(min=1 / stays.numel())


def principal_axes(codes: Tensor) -> Tensor:
    """The principal axes of codes (N, m): rows (m, m), each one standard deviation long."""
    return _DirectionModule(codes).axes


@torch.no_grad()
def _log_probabilities(
    space: LatentSpace, classifier: AttributeClassifier, codes: Tensor
) -> dict[str, Tensor]:
    """Log probabilities (N, classes) by label of the images of codes."""
    parts = [
        classifier.log_probabilities(space.generate(part.to(space.loaded.device)))
        for part in codes.split(BATCH)
    ]
    return {label: torch.cat([part[label] for part in parts]) for label in parts[0]}


class _DirectionModule(nn.Module):
    """Codes (..., m) to offsets in standard deviations along the principal axes of (N, m)."""

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
    def direction(self) -> LatentDirection:
        """The same function in the coordinates of codes, on the CPU."""
        slope = self.whiten @ self.matrix @ self.axes
        return LatentDirection((self.offset @ self.axes - self.mean @ slope).cpu(), slope.cpu())


def _divergence(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Tensor:
    """The KL divergence between log probabilities (B, classes), in nats, averaged over labels."""
    return torch.stack(
        [
            F.kl_div(after[label], was, log_target=True, reduction="batchmean")
            for label, was in before.items()
        ]
    ).mean()
