"""The latent space of a trained model: directions, edits, sums and inversion."""
