"""Rules that find from rows of metrics what goes wrong in a GAN's training, and what helps."""

import statistics
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

DURATION = 3  # rows of metrics.csv that a sign has to last
WARM_UP = 10  # rows after which a generator should make different images
WINDOW = 100  # rows that are remembered

Row = dict[str, float]


class Rule(NamedTuple):
    """A finding, whether rows (oldest first) show it, the signs to report, and advice."""

    finding: str
    holds: Callable[[Sequence[Row]], bool]
    signs: tuple[str, ...]
    advice: str


def _all(rows: Sequence[Row], holds: Callable[[Row], bool]) -> bool:
    """Whether the condition holds for each of the last rows."""
    return len(rows) >= DURATION and all(holds(row) for row in rows[-DURATION:])


def _collapsed(rows: Sequence[Row]) -> bool:
    """Most images are near duplicates after the warm-up, and their share does not decrease."""
    if len(rows) < WARM_UP:
        return False
    now, before = (
        statistics.mean(row["near_duplicates"] for row in part)
        for part in (rows[-DURATION:], rows[-2 * DURATION : -DURATION])
    )
    return now > 0.95 * before and _all(rows, lambda row: row["near_duplicates"] > 0.8)


def _narrowing(rows: Sequence[Row]) -> bool:
    """The diversity, at most that of real images, is much less than before."""
    if len(rows) < 2 * DURATION:
        return False
    values = [min(row["diversity"], 1.0) for row in rows]
    before = max(statistics.mean(values[i : i + DURATION]) for i in range(len(rows) - DURATION))
    return max(values[-DURATION:]) < 0.6 * before


def _critic_wins(rows: Sequence[Row]) -> bool:
    """The critic makes no mistakes, and the generator's gradient almost vanishes."""
    most = max(row["generator_gradient"] for row in rows)
    return _all(
        rows,
        lambda row: (
            min(row["real_accuracy"], row["fake_accuracy"]) > 0.99
            and row["generator_gradient"] < 0.02 * most
        ),
    )


def _critic_blind(rows: Sequence[Row]) -> bool:
    """The critic gives real and generated images the same logits, in the whole window.

    Small logits, as those of clipped weights, may have a small gap although both accuracies are
    high: then it does not hold.
    """
    return len(rows) >= WARM_UP and all(
        abs(row["logit_gap"]) < 1e-3 and row["real_accuracy"] + row["fake_accuracy"] < 1.2
        for row in rows
    )


def _exploding(rows: Sequence[Row]) -> bool:
    """Gradients are a hundred times as large as before."""
    if len(rows) < 2 * DURATION:
        return False
    for name in ("critic_gradient", "generator_gradient"):
        usual = statistics.median(row[name] for row in rows[:-DURATION])
        if min(row[name] for row in rows[-DURATION:]) > 100 * usual > 0:
            return True
    return False


def _few_kinds(rows: Sequence[Row]) -> bool:
    """Good images of few classes, by the scores of `evaluate.every_images`."""
    scored = [row for row in rows if "coverage" in row]
    return len(scored) >= DURATION and all(
        row["precision"] > 0.3 and (row["coverage"] < 0.1 or row["recall"] < 0.05)
        for row in scored[-DURATION:]
    )


_MORE_VARIETY = (
    "try remedy=minibatch_discrimination, remedy=r1 or remedy=two_rates, or lower the generator's "
    "rate (model.generator.optimizer.lr)"
)

RULES = (
    Rule(
        "collapsed: most images have a near duplicate among 128 of them",
        _collapsed,
        ("near_duplicates", "diversity"),
        _MORE_VARIETY,
    ),
    Rule(
        "narrowing: the images are much less varied than they were",
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
        "critic blind: it does not distinguish real from generated images",
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
        "few kinds: the images are good, but most kinds of real images are missing",
        _few_kinds,
        ("precision", "recall", "coverage"),
        _MORE_VARIETY,
    ),
)


class Finding(NamedTuple):
    """A finding, the images seen when it first and last held, the last signs, and advice."""

    finding: str
    first_images: int
    last_images: int
    signs: dict[str, float]
    advice: str


class RuleChecker:
    """Checks rows of signs, oldest first, and keeps its findings."""

    def __init__(self) -> None:
        self.found: dict[str, Finding] = {}
        self._rows: deque[Row] = deque(maxlen=WINDOW)

    def take(self, images_seen: int, row: Row) -> list[Finding]:
        """The findings that hold for the first time with this row."""
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
