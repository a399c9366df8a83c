"""Which scores should be small, which large, and which only describe."""

_LESS_IS_BETTER = (
    "frechet_distance",
    "kernel_distance",
    "class_divergence",
    "mse",
    "cycle_mse",
    "loss",
    "seconds",
)
_MORE_IS_BETTER = (
    "precision",
    "recall",
    "density",
    "coverage",
    "modes_covered",
    "high_quality",
    "inception_score",
    "classifier_score",
    "label_accuracy",
    "psnr",
    "psnr_gain",
    "elbo",
    "cycle_psnr",
    "ssim",
    "log_likelihood",
    "linear_probe",
    "nearest_neighbours",
    "accuracy",
)


def less_is_better(name: str) -> bool | None:
    """Of a score, by its name up to a "/"; None for one that only describes.

    Scores of real images end in "/real" and only describe.
    """
    kind = name.split("/")[0]
    if name.endswith("/real") or kind not in (*_LESS_IS_BETTER, *_MORE_IS_BETTER):
        return None
    return kind in _LESS_IS_BETTER
