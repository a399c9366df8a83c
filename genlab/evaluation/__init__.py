"""Scores: references, feature networks, distances and anomalies."""
