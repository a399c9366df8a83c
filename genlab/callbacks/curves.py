"""losses.png: the losses and scores of a finished run over the images seen."""

import pytorch_lightning as pl

from genlab.callbacks.history import History
from genlab.drawing.charts import curves
from genlab.drawing.image_grid import save_png
from genlab.learners import Learner

LEAST_ROWS = 3  # a curve has at least so many
_PANELS = {
    "losses": ("loss", "reconstruction", "penalty"),
    "errors and accuracies": ("mse", "accuracy"),
    "distances": ("frechet_distance", "kernel_distance"),
}


class Curves:
    """Draws losses.png when the run is finished, from the rows of its history."""

    def __init__(self, history: History) -> None:
        self.history = history

    def draw(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Write the file on the first rank, if there are enough rows."""
        panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for title, ends in _PANELS.items():
            for row in self.history.rows:
                for name, value in row.items():
                    if name.endswith(ends) and value != "":
                        points = panels.setdefault(title, {}).setdefault(name, [])
                        points.append((float(row["images_seen"]), float(value)))
        long = any(
            len(points) >= LEAST_ROWS for lines in panels.values() for points in lines.values()
        )
        if trainer.is_global_zero and long:
            save_png(curves(panels, "images seen"), self.history.folder / "losses.png")
