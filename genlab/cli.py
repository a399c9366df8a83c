"""The command line: `genlab VERB [overrides]`, each verb a Hydra application with its own page.

Nothing heavy is imported before a verb runs, so that help and completion answer at once.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genlab import __version__
from genlab.errors import ConfigError, GenlabError, ResourceError
from genlab.words import near_miss

if TYPE_CHECKING:
    from omegaconf import DictConfig

VERBS = {
    "train": "train a model and write everything about it to a run folder",
    "sample": "make new pictures with a trained model",
    "reconstruct": "encode and decode held-out images with an autoencoder",
    "encode": "write the codes of real images with their labels",
    "interpolate": "go from one picture to another through the space of codes",
    "visualise": "draw the space of codes",
    "evaluate": "score a run on held-out images, with a stamp that says how",
    "models": "list the models that can be trained",
    "data": "list the data sets that can be trained on",
}

_EXAMPLES = """\
examples:
  genlab train                                       faces by a DCGAN, in minutes, on any machine
  genlab train model=vae data=fashion_mnist          another model, other data
  genlab sample run=last format=grid                 more pictures from the newest run
  genlab train resume=last total_images=1000000      train it further

genlab VERB --help explains the verb's settings."""


def main() -> None:
    """Entry of the `genlab` command."""
    argv = sys.argv[1:]
    debug = "--debug" in argv
    argv = [word for word in argv if word != "--debug"]
    try:
        sys.exit(_dispatch(argv))
    except KeyboardInterrupt:
        _fail("stopped", 128 + signal.SIGINT)
    except Exception as error:
        if debug:
            raise
        _fail(*_explain(error, argv))


def _dispatch(argv: list[str]) -> int:
    if _completing(argv):
        return _complete(argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if argv[0] in ("-V", "--version"):
        print(f"genlab {__version__}")
        return 0
    verb = argv[0]
    if verb not in VERBS:
        raise ConfigError(f"genlab {verb}: no such verb; {near_miss(verb, VERBS)}")
    return run_verb(verb, argv[1:])


def run_verb(verb: str, arguments: list[str]) -> int:
    """Run one verb as a Hydra application; returns the exit code."""
    import hydra

    from genlab import config, launch, sweeps

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to main() instead of being printed
    if verb == "train":
        arguments = _resumed(arguments)
        config.register_schema()
    if launch.rank() > 0:  # of several processes only the first one speaks
        arguments += ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    _prepend_folders(config.user_folders(arguments))
    sys.argv = [f"genlab {verb}", *arguments]
    failures: list[Exception] = []

    def task(page: "DictConfig") -> float | None:
        try:
            if verb == "train":
                return _train(page)
            _use(verb, page)
        except Exception as error:  # Hydra would print lines of its own about it
            failures.append(error)
        return None

    pages = str(config.config_folder())
    hydra.main(version_base="1.3", config_path=pages, config_name=verb)(task)()
    if failures:
        raise failures[0]
    return sweeps.report()


def _train(config: "DictConfig") -> float | None:
    """The task of `genlab train`, once per job of a sweep."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from genlab import sweeps

    return sweeps.run_job(config)


def _use(verb: str, config: "DictConfig") -> None:
    """The task of every other verb."""
    import importlib

    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    module = "listing" if verb in ("models", "data") else verb
    importlib.import_module(f"genlab.verbs.{module}").run(plain)


def _resumed(arguments: list[str]) -> list[str]:
    """With resume=last or resume=PATH: the run's own overrides and folder, then the new ones."""
    from genlab import runs

    values = [word.split("=", 1)[1] for word in arguments if word.startswith("resume=")]
    if not values or values[-1] in ("null", "auto"):
        return arguments
    if {"-m", "--multirun"} & set(arguments):
        raise ConfigError(
            "resume= cannot be combined with -m: run the sweep again with the same "
            "hydra.sweep.dir=PATH, which skips finished jobs and resumes the others"
        )
    folder = runs.find(values[-1], key="resume")
    given = {_key(word) for word in arguments}
    stored = [word for word in folder.overrides() if _key(word) not in given]
    flags = [word for word in stored if word.startswith("--")]
    words = [word for word in stored if not word.startswith("--")]
    # Hydra wants all overrides in one row, without a flag between them.
    place = next(i for i, word in enumerate(arguments) if word.startswith("resume="))
    run_folder = f"hydra.run.dir='{folder.path}'"
    return [*arguments[:place], *words, run_folder, *arguments[place:], *flags]


def _key(override: str) -> str:
    return override.split("=", 1)[0].lstrip("+~")


def _prepend_folders(folders: Sequence[Path]) -> None:
    """Let the user's own pages extend and shadow the packaged ones."""
    from hydra.core.plugins import Plugins

    from genlab.search_path import UserPages

    UserPages.folders = list(folders)
    Plugins.instance().register(UserPages)


def _completing(argv: list[str]) -> bool:
    return any(word in ("-sc", "--shell-completion") for word in argv)


def _complete(argv: list[str]) -> int:
    """Tab completion: the verb first, then whatever the verb's Hydra application offers."""
    line = os.environ.get("COMP_LINE", "")
    words = line.split()
    typed = words[1] if len(words) > 1 else ""
    if not any("query=" in word for word in argv):
        return run_verb("train", argv)  # install or uninstall
    if typed not in VERBS or (len(words) == 2 and not line.endswith(" ")):
        print("\n".join(verb for verb in VERBS if verb.startswith(typed)))
        return 0
    os.environ["COMP_LINE"] = line.replace(f" {typed}", "", 1)
    return run_verb(typed, [word for word in argv if word != typed])


def _overview() -> str:
    lines = [
        f"genlab {__version__}: train autoencoders and GANs",
        "",
        "usage: genlab VERB [KEY=VALUE ...]",
        "",
    ]
    lines += [f"  {verb:<12} {text}" for verb, text in VERBS.items()]
    return "\n".join([*lines, "", _EXAMPLES])


def _explain(error: Exception, argv: list[str]) -> tuple[str, int]:
    """The one line and the exit code for an exception."""
    if isinstance(error, GenlabError):
        return str(error), error.exit_code
    module = type(error).__module__
    if module.startswith(("hydra", "omegaconf")):
        from genlab.explain import explain

        return explain(error, argv), ConfigError.exit_code
    if isinstance(error, OSError):
        return (
            f"{error.filename or 'the operating system'}: {error.strerror}; choose another place "
            "(for a run hydra.run.dir=PATH, for other verbs out=PATH)",
            ResourceError.exit_code,
        )
    return f"{type(error).__name__}: {error} (--debug shows where)", GenlabError.exit_code


def _fail(message: str, code: int) -> None:
    print(f"genlab: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
