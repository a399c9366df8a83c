"""The Lightning modules, one per game: they own networks and optimizers and play one step."""

from genlab.learners.adversarial import Adversarial
from genlab.learners.cycle import CycleConsistency
from genlab.learners.learner import Learner
from genlab.learners.reconstruction import Reconstruction
from genlab.learners.supervised import Supervised
from genlab.learners.translation import Translation

__all__ = [
    "Adversarial",
    "CycleConsistency",
    "Learner",
    "Reconstruction",
    "Supervised",
    "Translation",
]
