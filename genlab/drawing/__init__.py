"""Grids, sheets, figures, planes, videos and the projector."""
