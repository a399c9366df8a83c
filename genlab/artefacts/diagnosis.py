"""Says in plain words, from measured signs, when a GAN goes wrong while it trains."""

import logging
import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.artefacts.history import History
from genlab.data.module import data_of
from genlab.learners import Adversarial, Learner
from genlab.learners.learner import evaluating
from genlab.metrics import nearest
from genlab.pixels import to_uint8

log = logging.getLogger(__name__)

PICTURES = 128  # generated ones that are compared with each other
LASTING = 3  # rows of metrics.csv that a sign has to last
SETTLED = 10  # rows after which a generator should make different pictures

Row = dict[str, float]


class Rule(NamedTuple):
    """A finding, whether rows (oldest first) show it, the signs to state and what helps."""

    finding: str
    holds: Callable[[Sequence[Row]], bool]
    signs: tuple[str, ...]
    advice: str


def _all(rows: Sequence[Row], holds: Callable[[Row], bool]) -> bool:
    """Whether each of the last rows is so."""
    return len(rows) >= LASTING and all(holds(row) for row in rows[-LASTING:])


def _collapsed(rows: Sequence[Row]) -> bool:
    """Most pictures alike, and not about to differ, when a generator should have settled."""
    if len(rows) < SETTLED:
        return False
    now, before = (
        statistics.mean(row["near_duplicates"] for row in part)
        for part in (rows[-LASTING:], rows[-2 * LASTING : -LASTING])
    )
    return now > 0.95 * before and _all(rows, lambda row: row["near_duplicates"] > 0.8)


def _narrowing(rows: Sequence[Row]) -> bool:
    """Much less varied than it has been."""
    if len(rows) < 2 * LASTING:
        return False
    values = [row["diversity"] for row in rows]
    before = max(statistics.mean(values[i : i + LASTING]) for i in range(len(rows) - LASTING))
    return max(values[-LASTING:]) < 0.6 * before


def _critic_wins(rows: Sequence[Row]) -> bool:
    """No mistakes, and next to no gradient left for the generator."""
    most = max(row["generator_gradient"] for row in rows)
    return _all(
        rows,
        lambda row: (
            min(row["real_accuracy"], row["fake_accuracy"]) > 0.99
            and row["generator_gradient"] < 0.02 * most
        ),
    )


def _critic_blind(rows: Sequence[Row]) -> bool:
    """The same logits for everything, from the start on."""
    return len(rows) >= SETTLED and all(abs(row["logit_gap"]) < 1e-3 for row in rows)


def _exploding(rows: Sequence[Row]) -> bool:
    """Gradients a hundred times as large as they used to be."""
    if len(rows) < 2 * LASTING:
        return False
    for name in ("critic_gradient", "generator_gradient"):
        usual = statistics.median(row[name] for row in rows[:-LASTING])
        if min(row[name] for row in rows[-LASTING:]) > 100 * usual:
            return True
    return False


def _few_kinds(rows: Sequence[Row]) -> bool:
    """Good pictures of few kinds, by the scores that `evaluate.every_images` asks for."""
    scored = [row for row in rows if "coverage" in row]
    return len(scored) >= LASTING and all(
        row["precision"] > 0.3 and (row["coverage"] < 0.1 or row["recall"] < 0.05)
        for row in scored[-LASTING:]
    )


_MORE_VARIETY = (
    "try remedy=minibatch_deviation, remedy=packing or remedy=r1, or lower the generator's rate "
    "(model.generator_optimizer.lr)"
)

RULES = (
    Rule(
        "collapsed: most pictures have a near duplicate among 128 of them",
        _collapsed,
        ("near_duplicates", "diversity"),
        _MORE_VARIETY,
    ),
    Rule(
        "narrowing: the pictures are much less varied than they were",
        _narrowing,
        ("near_duplicates", "diversity"),
        _MORE_VARIETY,
    ),
    Rule(
        "critic wins: it is right about all images and leaves the generator no gradient",
        _critic_wins,
        ("real_accuracy", "fake_accuracy", "logit_gap", "generator_gradient"),
        "lower the critic's rate (model.critic_optimizer.lr), add remedy=r1 or "
        "remedy=instance_noise, or leave the minimax loss for the non-saturating one (model=dcgan)",
    ),
    Rule(
        "critic blind: it says the same of real and generated images",
        _critic_blind,
        ("logit_gap", "critic_gradient"),
        "raise the critic's rate (model.critic_optimizer.lr) or model.critic_steps, or lower the "
        "weight of its penalties; with model.weight_clip raise the limit",
    ),
    Rule(
        "exploding: gradients are a hundred times as large as they were",
        _exploding,
        ("critic_gradient", "generator_gradient"),
        "lower both rates (model.rate=0.5), or add remedy=r1 or remedy=spectral_norm",
    ),
    Rule(
        "few kinds: the pictures are good, but most kinds of real images are missing",
        _few_kinds,
        ("precision", "recall", "coverage"),
        _MORE_VARIETY,
    ),
)


class Finding(NamedTuple):
    """What was found, when first, whether it still is so, and what helps."""

    finding: str
    first_images: int
    last_images: int
    signs: dict[str, float]
    advice: str


def diagnose(rows: Sequence[tuple[int, Row]]) -> list[Finding]:
    """All findings in rows of signs with the images seen, oldest first, each once."""
    found: dict[str, Finding] = {}
    for end in range(1, len(rows) + 1):
        images_seen, latest = rows[end - 1]
        for rule in RULES:
            if rule.holds([row for _, row in rows[:end]]):
                first = found[rule.finding].first_images if rule.finding in found else images_seen
                signs = {name: latest[name] for name in rule.signs if name in latest}
                found[rule.finding] = Finding(rule.finding, first, images_seen, signs, rule.advice)
    return list(found.values())


class Diagnosis(pl.Callback):
    """Adds signs of collapse to every row of metrics.csv and warns of what they mean, once.

    A pure function of these rows, so that nothing has to be saved to resume it.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._warned: set[str] = set()
        self._real_gap = 0.0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure, judge and warn when a row has been written."""
        if not isinstance(pl_module, Adversarial) or not trainer.is_global_zero:
            return
        if not pl_module.passed(self.history.every_images):
            return
        signs = {"near_duplicates": self._near_duplicates(trainer, pl_module)}
        self.history.record(signs, "train", pl_module.images_seen)
        for finding in self._findings():
            if finding.finding not in self._warned and not self._said_before(finding, pl_module):
                told = ", ".join(f"{name} {value:.3g}" for name, value in finding.signs.items())
                text = f"{finding.finding} ({told}); {finding.advice}"
                log.warning("%s", text)
                self.history.note("diagnosis", text, pl_module.images_seen)
            self._warned.add(finding.finding)

    def findings(self) -> list[dict[str, Any]]:
        """For the summary: every finding of the run, and whether it lasted to the end."""
        rows = self._rows()
        return [
            {**finding._asdict(), "lasting": finding.last_images == rows[-1][0]}
            for finding in diagnose(rows)
        ]

    def _findings(self) -> list[Finding]:
        return diagnose(self._rows())

    def _said_before(self, finding: Finding, learner: Learner) -> bool:
        """Whether the run was told before it was interrupted."""
        return finding.first_images < learner.images_seen

    def _rows(self) -> list[tuple[int, Row]]:
        return [
            (
                int(row["images_seen"]),
                {key.split("/", 1)[1]: float(value) for key, value in row.items() if "/" in key},
            )
            for row in self.history.rows
            if "train/near_duplicates" in row
        ]

    def _near_duplicates(self, trainer: pl.Trainer, learner: Adversarial) -> float:
        """The share of generated pictures that have a near duplicate among them.

        One is nearer than a quarter of the median distance of as many real ones to their nearest.
        """
        if not self._real_gap:
            batch = next(data_of(trainer).held_out("train", PICTURES))
            self._real_gap = float(_gaps(batch.images).median())
        noise = torch.Generator().manual_seed(learner.noise_seed)
        latents = learner.latents(PICTURES, noise, {}).to(learner.device)
        with evaluating(learner), trainer.precision_plugin.val_step_context():
            pictures = to_uint8(learner.generate(latents)).cpu()
        return float((_gaps(pictures) <= self._real_gap / 4).float().mean())


def _gaps(images: Tensor) -> Tensor:
    """The distance of each image, uint8 (N, C, H, W), to its nearest other, (N,)."""
    return nearest(images, images, 2).distances[:, 1]
