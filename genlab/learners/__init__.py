"""Learners, one per game, and their players: networks, optimizers, and one step of training."""

from genlab.learners.adversarial import Adversarial
from genlab.learners.cycle import CycleConsistency
from genlab.learners.learner import Learner
from genlab.learners.players import (
    CriticPlayer,
    CyclePlayer,
    GeneratorPlayer,
    TranslationCriticPlayer,
    TranslatorPlayer,
)
from genlab.learners.reconstruction import Reconstruction
from genlab.learners.supervised import Supervised
from genlab.learners.translation import Translation

__all__ = [
    "Adversarial",
    "CriticPlayer",
    "CycleConsistency",
    "CyclePlayer",
    "GeneratorPlayer",
    "Learner",
    "Reconstruction",
    "Supervised",
    "Translation",
    "TranslationCriticPlayer",
    "TranslatorPlayer",
]
