"""Says in plain words, from measured signs, when a GAN goes wrong while it trains."""

import logging
import statistics
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.callbacks.adapter import data_of, learner_of
from genlab.callbacks.history import History
from genlab.callbacks.samples import sampled
from genlab.learners import Learner
from genlab.learners.abilities import Generates, PlaysAgainstCritic
from genlab.metrics import nearest

log = logging.getLogger(__name__)

PICTURES = 128  # generated ones that are compared with each other
LASTING = 3  # rows of metrics.csv that a sign has to last
SETTLED = 10  # rows after which a generator should make different pictures
MEMORY = 100  # rows that are looked back on

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
    """Much less varied than it has been; what is beyond the reals' variety is noise."""
    if len(rows) < 2 * LASTING:
        return False
    values = [min(row["diversity"], 1.0) for row in rows]
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
    """The same logits for everything, as long as can be looked back on.

    A gap of hardly anything is enough where logits are small, as those of clipped weights may be:
    then both accuracies are high.
    """
    return len(rows) >= SETTLED and all(
        abs(row["logit_gap"]) < 1e-3 and row["real_accuracy"] + row["fake_accuracy"] < 1.2
        for row in rows
    )


def _exploding(rows: Sequence[Row]) -> bool:
    """Gradients a hundred times as large as they used to be."""
    if len(rows) < 2 * LASTING:
        return False
    for name in ("critic_gradient", "generator_gradient"):
        usual = statistics.median(row[name] for row in rows[:-LASTING])
        if min(row[name] for row in rows[-LASTING:]) > 100 * usual > 0:
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
    "try remedy=minibatch_discrimination, remedy=r1 or remedy=two_rates, or lower the generator's "
    "rate (model.generator.optimizer.lr)"
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
        "lower the critic's rate (model.critic.optimizer.lr), add remedy=r1 or "
        "remedy=instance_noise, or leave the minimax loss for the non-saturating one (model=dcgan)",
    ),
    Rule(
        "critic blind: it says the same of real and generated images",
        _critic_blind,
        ("logit_gap", "critic_gradient"),
        "raise the critic's rate (model.critic.optimizer.lr) or model.critic_steps, or lower the "
        "weight of its penalties; with remedy=weight_clipping raise the limit",
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
    """What was found, after how many images first and last, the last signs, and what helps."""

    finding: str
    first_images: int
    last_images: int
    signs: dict[str, float]
    advice: str


class Doctor:
    """Takes rows of signs with the images seen, oldest first, and keeps what it found in them."""

    def __init__(self) -> None:
        self.found: dict[str, Finding] = {}
        self._rows: deque[Row] = deque(maxlen=MEMORY)

    def take(self, images_seen: int, row: Row) -> list[Finding]:
        """The findings that this row shows for the first time."""
        self._rows.append(row)
        new = []
        for rule in RULES:
            if not rule.holds(list(self._rows)):
                continue
            before = self.found.get(rule.finding)
            first = before.first_images if before else images_seen
            signs = {name: row[name] for name in rule.signs if name in row}
            finding = Finding(rule.finding, first, images_seen, signs, rule.advice)
            self.found[rule.finding] = finding
            if before is None:
                new.append(finding)
        return new


class Diagnosis(pl.Callback):
    """Adds signs of collapse to every row of metrics.csv and warns of what they mean, once.

    A pure function of these rows, so that nothing has to be saved to resume it.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._doctor = Doctor()
        self._taken = 0  # rows of the history that the doctor has seen
        self._scores: Row = {}  # of rows that have no signs
        self._real_gap = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What was found before an interruption is known."""
        self._take_new_rows()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure, judge and warn when a row has been written."""
        learner = learner_of(pl_module)
        plays = isinstance(learner, Generates) and isinstance(learner, PlaysAgainstCritic)
        if not plays or not trainer.is_global_zero:
            return
        if not learner.passed(self.history.every_images):
            return
        signs = {"near_duplicates": self._near_duplicates(trainer, learner)}
        self.history.record(signs, "train", learner.images_seen)
        for finding in self._take_new_rows():
            told = ", ".join(f"{name} {value:.3g}" for name, value in finding.signs.items())
            text = f"{finding.finding} ({told}); {finding.advice}"
            log.warning("%s", text)
            self.history.note("diagnosis", text, learner.images_seen)

    def findings(self) -> list[dict[str, Any]]:
        """For the summary: every finding of the run, oldest first."""
        return [finding._asdict() for finding in self._doctor.found.values()]

    def _take_new_rows(self) -> list[Finding]:
        """Show the doctor the rows that it has not seen; returns what is new.

        Rows with scores alone are seen together with the next one that has signs; so are rows of
        so few batches that the generator did not play.
        """
        new = []
        for row in self.history.rows[self._taken :]:
            signs = {k.split("/", 1)[1]: float(v) for k, v in row.items() if "/" in k}
            if "near_duplicates" in signs and "generator_gradient" in signs:
                new += self._doctor.take(int(row["images_seen"]), self._scores | signs)
                self._scores = {}
            else:
                self._scores |= signs
        self._taken = len(self.history.rows)
        return new

    def _near_duplicates(self, trainer: pl.Trainer, learner: Learner) -> float:
        """The share of generated pictures that have a near duplicate among them.

        One is nearer than a quarter of the median distance of as many real ones to their nearest.
        """
        if not self._real_gap:
            batch = next(data_of(trainer).held_out("train", PICTURES, PICTURES))
            self._real_gap = float(_gaps(batch.images).median())
        assert isinstance(learner, Generates)
        noise = torch.Generator().manual_seed(learner.noise_seed)
        latents = learner.latents(PICTURES, noise, {})
        pictures = sampled(trainer, learner, latents, PICTURES).cpu()
        return float((_gaps(pictures) <= self._real_gap / 4).float().mean())


def _gaps(images: Tensor) -> Tensor:
    """The distance of each image, uint8 (N, C, H, W), to its nearest other, (N,)."""
    return nearest(images, images, 2).distances[:, 1]
