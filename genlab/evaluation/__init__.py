"""Scores: references, feature networks, distances and anomaly scores."""
