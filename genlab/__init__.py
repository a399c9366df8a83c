"""genlab: train autoencoders and GANs, from the command line and from Python.

    import genlab

    run = genlab.load("runs/faces")
    genlab.grid(run.sample(16, seed=0)).save("grid.png")

See `genlab.api.run.Run` for what a run can do.
"""

TYPE_CHECKING = False  # as in typing, whose import may find a file of that name with python -m

if TYPE_CHECKING:
    from typing import Any

    from genlab.api.images import grid
    from genlab.api.run import Run, load
    from genlab.api.training import compose, datasets, models, train

__version__ = "0.1.0"

__all__ = ["Run", "__version__", "compose", "datasets", "grid", "load", "models", "train"]

_HOMES = {
    **dict.fromkeys(("Run", "load"), "genlab.api.run"),
    **dict.fromkeys(("compose", "datasets", "models", "train"), "genlab.api.training"),
    "grid": "genlab.api.images",
}


def __getattr__(name: str) -> "Any":
    """What is asked for, imported at the first use: `import genlab` alone loads nothing heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'genlab' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
