"""The command line: `genlab VERB [overrides]`, each verb a Hydra application with its own page.

Nothing heavy is imported before a verb runs, so that help and completion answer at once.
"""

import os
import signal
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path

from genlab import __version__
from genlab.cli import arguments, completion
from genlab.cli.endings import exit_codes_to_the_end
from genlab.cli.train_help import SUMMARY, help_of_train
from genlab.console import clear_waiting, wait
from genlab.errors import ConfigError, ResourceError, Stopped
from genlab.io import secrets
from genlab.settings import COMMANDS, settings_of
from genlab.training.failures import explained
from genlab.words import near_miss, printable, shortened

VERBS = ("train", *COMMANDS, "schema")

_EXAMPLES = """\
examples:
  genlab train                                       faces by a DCGAN, in minutes, on any machine
  genlab train model=vae data=fashion_mnist          another model, other data
  genlab sample run=last format=grid                 more images from the newest run
  genlab train resume=last total_images=1000000      train it further

genlab COMMAND --help explains the command's settings, genlab schema COMMAND is for editors."""


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
        _fail("" if stopped.reported else str(stopped), stopped.exit_code)
    except KeyboardInterrupt:
        _fail("stopped", 128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read has gone, as `head` does: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        if debug:
            raise
        message, code = explained(error, argv)
        _fail("" if getattr(error, "reported", False) else message, code)


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
        print(completion.answer(argv, list(VERBS), _application))
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
    words = argv[1:]
    if verb == "schema":
        return _show_schema(words)
    if verb in COMMANDS:
        if {"-h", "--help"} & set(words):
            from genlab.settings.help import help_text

            print(help_text(settings_of(verb)))
            return 0
        if verb in ("models", "data"):
            return _list_pages(verb, words)
    return run_verb(verb, words)


def _show_schema(words: list[str]) -> int:
    """The task of `genlab schema COMMAND`."""
    import json

    from genlab.settings.help import json_schema

    if {"-h", "--help"} & set(words):
        print(
            "genlab schema: print the settings of a command as a JSON schema\n\n"
            f"usage: genlab schema {'|'.join(COMMANDS)}\n"
            "       genlab schema train [GROUP=PAGE ...]\n\n"
            "An editor or a program that fills in settings can check them by it."
        )
        return 0
    command = words[0] if words else ""
    if command == "train":
        from genlab.cli.application import schema_of_train

        print(json.dumps(schema_of_train(*arguments.read(words[1:])), indent=2))
        return 0
    known = ("train", *COMMANDS)
    if len(words) != 1 or command not in known:
        near = near_miss(command, known) if words else ""
        raise ConfigError(f"schema: name one command of {', '.join(known)}{near}")
    print(json.dumps(json_schema(settings_of(command)), indent=2))
    return 0


def _list_pages(group: str, words: list[str]) -> int:
    """The task of `genlab models` and `genlab data`."""
    from genlab.cli.listing import show
    from genlab.config.pages import check_folder, config_folder, user_folders

    overrides, flags = arguments.read(words)
    if others := [flag for flag in flags if not flag.startswith("--config-dir=")]:
        raise ConfigError(f"{others[0]}: genlab {group} has no such flag")
    arguments.check_names(group, overrides)
    given = {key: arguments.unquoted(v) for key, _, v in (w.partition("=") for w in overrides)}
    match = vars(settings_of(group).read(given))["match"]
    own = user_folders(flags)
    for folder in own:
        check_folder(folder)
    show("model" if group == "models" else "data", match, [*own, config_folder()])
    return 0


def run_verb(verb: str, words: list[str]) -> int:
    """Run one verb with the words after it; returns the exit code."""
    from genlab.jobs import multirun
    from genlab.processes import launch
    from genlab.training.stopping import stoppable

    if launch.launched():
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # a lost process has its line from us
    overrides, flags = arguments.read(words)
    overrides = [arguments.written_out(word) for word in overrides]
    secrets.note(overrides)
    if verb == "train" and "--help" in flags:
        from genlab.config.pages import config_folder, user_folders

        print(help_of_train([*user_folders(flags), config_folder()]))
        return 0
    if verb == "train" and (named := arguments.resumed(overrides)):
        return _resume(named, arguments.Arguments(overrides, flags))
    if verb == "edit":
        overrides = [arguments.expression(word) for word in overrides]
    if verb != "train":
        arguments.check_names(verb, overrides)
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
            _application(verb, [*overrides, *flags])
    except Stopped:
        multirun.report()
        raise
    return multirun.report()


def _note_what_stands(overrides: list[str]) -> None:
    """Have the folders that are there now outlive a run that does not start."""
    from genlab.runs.claims import note_existing_folders

    places = [w.split("=", 1)[1] for w in overrides if w.startswith("hydra.run.dir=")]
    for place in places or ["runs"]:
        note_existing_folders(Path(arguments.unquoted(place).split("${")[0] or "."))


def _application(verb: str, words: list[str]) -> None:
    """Run the verb's Hydra application, which is imported where it is needed."""
    from genlab.cli import application

    application.run(verb, words)


def _resume(named: str, words: arguments.Arguments) -> int:
    """With resume=last or resume=PATH: the run's own config and folder, then the new words."""
    if "--hydra-help" in words.flags:
        _application("train", words.flags)
        return 0
    from genlab.processes import launch
    from genlab.runs import finding
    from genlab.training.stopping import stoppable

    given = [arguments.quoted(w) for w in words.overrides if not w.startswith("resume=")]
    arguments.check("train", given)
    folder = finding.find_run(named, key="resume")
    with stoppable(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not words.flags and launch.rank() == 0:
            wait("loading")
        from genlab.cli import resume

        resume.resume(folder, arguments.Arguments(given, words.flags))
    return 0


def _overview() -> str:
    lines = [
        f"genlab {__version__}: train autoencoders and GANs",
        "",
        "usage: genlab COMMAND [KEY=VALUE ...]",
        "",
    ]
    told = {"train": SUMMARY, **{each: settings_of(each).summary for each in COMMANDS}}
    told["schema"] = "print the settings of a command as a JSON schema"
    lines += [f"  {command:<12} {text}" for command, text in told.items()]
    return "\n".join([*lines, "", _EXAMPLES])


def _fail(message: str, code: int) -> None:
    clear_waiting()
    if message:  # of several processes the first one says it
        told = shortened(secrets.hide(printable(" ".join(message.split()))))
        print(f"genlab: {told}", file=sys.stderr)
    sys.exit(code)
