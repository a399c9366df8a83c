"""The command line: `genlab VERB [overrides]`, each verb a Hydra application with its own page.

Nothing heavy is imported before a verb runs, so that help and completion answer at once.
"""

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab import __version__
from genlab.cli import arguments, completion
from genlab.cli.endings import exit_codes_to_the_end
from genlab.errors import ConfigError, ResourceError, Stopped
from genlab.io import secrets
from genlab.training.failures import explained
from genlab.words import near_miss, printable, shortened

if TYPE_CHECKING:
    from omegaconf import DictConfig

VERBS = {
    "train": "train a model and write everything about it to a run folder",
    "sample": "make new pictures with a trained model",
    "reconstruct": "encode and decode held-out images, or pictures of yours",
    "encode": "write the codes of held-out images, or pictures of yours",
    "interpolate": "go from one picture to another through the space of codes",
    "mix": "mix the styles of pictures, layer by layer, with a StyleGAN",
    "edit": "change what pictures show, by directions in the space of codes and by sums",
    "project": "find the codes of real images, for any model that makes pictures",
    "upscale": "enlarge pictures with a network trained by model=srgan",
    "inpaint": "fill holes in pictures",
    "translate": "turn pictures of one kind into another, with pix2pix or CycleGAN",
    "score": "say how strange images are to an autoencoder: detect anomalies",
    "visualise": "draw the space of codes",
    "evaluate": "score a run on held-out images, with a stamp that says how",
    "compare": "put the scores of several runs side by side",
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
    with exit_codes_to_the_end():
        command()


def command() -> None:
    """What `main` does, with the signals of the process as they are."""
    argv = sys.argv[1:]
    debug = "--debug" in argv
    argv = [word for word in argv if word != "--debug"]
    try:
        try:
            _forget_current_folder()
            sys.exit(_dispatch(argv))
        finally:
            sys.stdout.flush()  # here, where it may fail
    except Stopped as stopped:
        _fail("" if stopped.told else str(stopped), stopped.exit_code)
    except KeyboardInterrupt:
        _fail("stopped", 128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read has gone, as `head` does: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        if debug:
            raise
        message, code = explained(error, argv)
        _fail("" if getattr(error, "told", False) else message, code)


def _forget_current_folder() -> None:
    """Import nothing that lies in the folder where the command runs, here and in processes below.

    Python looks there first with -m and with an empty entry of PYTHONPATH.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    ours = str(Path(__file__).resolve().parents[2])
    try:
        here = os.getcwd()
    except FileNotFoundError as error:
        raise ResourceError("the current folder is there no more: go to another one") from error
    sys.path[:] = [
        entry
        for entry in sys.path
        if entry in named or entry == ours or os.path.realpath(entry) != here
        if entry not in ("", ".")
    ]


def _dispatch(argv: list[str]) -> int:
    if completion.wanted(argv):
        print(completion.answer(argv, list(VERBS), _run_hydra))
        return 0
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if "--version" in argv or argv[0] == "-V":
        print(f"genlab {__version__}")
        return 0
    verb = argv[0]
    if verb not in VERBS:
        raise ConfigError(f"{verb}: no such verb{near_miss(verb, VERBS)}")
    return run_verb(verb, argv[1:])


def run_verb(verb: str, words: list[str]) -> int:
    """Run one verb with the words after it; returns the exit code."""
    from genlab.jobs import multirun
    from genlab.processes import launch
    from genlab.training.stopping import stoppable

    if launch.launched():
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # a lost process has its line from us
    overrides, flags = arguments.read(words)
    secrets.note(overrides)
    if verb == "train" and (named := arguments.resumed(overrides)):
        return _resume(named, arguments.Arguments(overrides, flags))
    if verb == "edit":
        overrides = [arguments.expression(word) for word in overrides]
    swept = ",(" if "--multirun" in flags else ""  # what gives one setting several values
    overrides = [
        w if set(swept) & set(w) and not w.startswith("hydra.") else arguments.quoted(w)
        for w in overrides
    ]
    arguments.check(verb, overrides)
    if launch.rank() > 0:  # of several processes only the first one speaks
        overrides += ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    multirun.start_over()
    if verb == "train":
        _note_what_stands(overrides)
    try:
        with stoppable() if verb == "train" else nullcontext():
            _run_hydra(verb, [*overrides, *flags])
    except Stopped:
        multirun.report()
        raise
    return multirun.report()


def _note_what_stands(overrides: list[str]) -> None:
    """Have the folders that are there now outlive a run that does not start."""
    from genlab.runs.claims import note_standing

    places = [w.split("=", 1)[1] for w in overrides if w.startswith("hydra.run.dir=")]
    for place in places or ["runs"]:
        note_standing(Path(arguments.unquoted(place).split("${")[0] or "."))


def _run_hydra(verb: str, words: list[str]) -> None:
    """Run the verb's Hydra application, overrides first."""
    import hydra

    from genlab.config import schema

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to main() instead of being printed
    if verb == "train":
        schema.register_schema()
    _prepend_folders(schema.user_folders(words))
    words = [word for word in words if not word.startswith("--config-dir=")]  # checked instead
    sys.argv = [f"genlab {verb}", *words]
    failures: list[Exception] = []

    def task(page: "DictConfig") -> float | None:
        try:
            if verb == "train":
                return _train(page)
            _use(verb, page)
        except Exception as error:  # Hydra would print lines of its own about it
            failures.append(error)
        return None

    pages = str(schema.config_folder())
    hydra.main(version_base="1.3", config_path=pages, config_name=verb)(task)()
    if failures:
        raise failures[0]


def _train(schema: "DictConfig") -> float | None:
    """The task of `genlab train`, once per job of a sweep."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from genlab.jobs import sweep

    return sweep.run_job(schema)


def _use(verb: str, schema: "DictConfig") -> None:
    """The task of every other verb."""
    import importlib

    from omegaconf import OmegaConf

    from genlab.commands.settings import check_verb

    plain: Any = OmegaConf.to_container(schema, resolve=True, throw_on_missing=True)
    check_verb(verb, plain)
    if plain.get("out") is not None:
        from genlab.commands.outputs import check_place

        check_place(str(plain["out"]))
    listed = verb in ("models", "data")
    module = "genlab.cli.listing" if listed else f"genlab.commands.{verb}"
    importlib.import_module(module).run(plain)


def _resume(named: str, words: arguments.Arguments) -> int:
    """With resume=last or resume=PATH: the run's own config and folder, then the new words."""
    if {"--help", "--hydra-help"} & set(words.flags):
        _run_hydra("train", words.flags)
        return 0
    from genlab.runs import finding
    from genlab.training.stopping import stoppable

    given = [arguments.quoted(w) for w in words.overrides if not w.startswith("resume=")]
    arguments.check("train", given)
    folder = finding.find(named, key="resume")
    with stoppable(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from genlab.cli import resume

        resume.resume(folder, arguments.Arguments(given, words.flags))
    return 0


def _prepend_folders(folders: Sequence[Path]) -> None:
    """Let the user's own pages extend and shadow the packaged ones."""
    from hydra.core.plugins import Plugins

    from genlab.cli.search_path import CheckedPages, Growth, UserPages, check_folder

    for folder in folders:
        check_folder(folder)
    UserPages.folders = list(folders)
    CheckedPages.growth = Growth()
    for plugin in (CheckedPages, UserPages):
        Plugins.instance().register(plugin)


def _overview() -> str:
    lines = [
        f"genlab {__version__}: train autoencoders and GANs",
        "",
        "usage: genlab VERB [KEY=VALUE ...]",
        "",
    ]
    lines += [f"  {verb:<12} {text}" for verb, text in VERBS.items()]
    return "\n".join([*lines, "", _EXAMPLES])


def _fail(message: str, code: int) -> None:
    if message:  # of several processes the first one says it
        told = shortened(secrets.hide(printable(" ".join(message.split()))))
        print(f"genlab: {told}", file=sys.stderr)
    sys.exit(code)
