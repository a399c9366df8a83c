"""What is minimised. Functions and small value objects over tensors, without state."""

from genlab.objectives import adversarial, codes, corruptions, reconstruction

__all__ = ["adversarial", "codes", "corruptions", "reconstruction"]
