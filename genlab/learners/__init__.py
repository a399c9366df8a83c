"""The Lightning modules, one per game: they own networks and optimizers and play one step."""

from genlab.learners.adversarial import Adversarial
from genlab.learners.learner import Learner
from genlab.learners.reconstruction import Reconstruction
from genlab.learners.supervised import Supervised

__all__ = ["Adversarial", "Learner", "Reconstruction", "Supervised"]
