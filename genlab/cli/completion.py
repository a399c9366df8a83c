"""Tab completion: the scripts for shells, and the words that may stand where the cursor is."""

import io
import os
import re
import shlex
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from genlab.cli.arguments import FLAGS, PATH_KEYS, read
from genlab.errors import ConfigError, GenlabError
from genlab.words import one_of

INSTALL = {
    "bash": """\
_genlab() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" \\
        COMP_WORDBREAKS="$COMP_WORDBREAKS" genlab -sc query=bash 2>/dev/null))
}
complete -o nospace -F _genlab genlab""",
    "zsh": """\
_genlab() {
    local -a choices
    choices=("${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT]}" genlab -sc query=zsh 2>/dev/null)}")
    compadd -S '' -- $choices
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _genlab genlab""",
    "fish": """\
function _genlab
    set -lx COMP_LINE (commandline -cp)
    genlab -sc query=fish 2>/dev/null
end
complete -c genlab -f -a '(_genlab)'""",
}
UNINSTALL = {
    "bash": "complete -r genlab; unset -f _genlab",
    "zsh": "compdef -d genlab; unfunction _genlab",
    "fish": "complete -e -c genlab; functions -e _genlab",
}

Ask = Callable[[str, list[str]], object]
"""Runs a verb's Hydra application with these words."""


def wanted(argv: list[str]) -> bool:
    """Whether a shell asks, or a user who installs."""
    return any(word in ("-sc", "--shell-completion") for word in argv)


def answer(argv: list[str], verbs: list[str], ask: Ask) -> str:
    """The script for `install=SHELL`, or a candidate a line for `query=SHELL`."""
    command, _, shell = next((word for word in argv if "=" in word), "").partition("=")
    if command not in ("install", "uninstall", "query"):
        raise ConfigError("-sc needs a shell: install=bash, install=zsh or install=fish")
    one_of(command, shell, tuple(INSTALL))
    if command != "query":
        return (INSTALL if command == "install" else UNINSTALL)[shell]
    line = os.environ.get("COMP_LINE", "")
    words = _split(line[: int(os.environ.get("COMP_POINT", len(line)))])
    found = candidates(words[1:], verbs, ask)
    if shell == "bash":
        found = [_for_bash(word, words[-1]) for word in found]
    return "\n".join(found)


def candidates(words: list[str], verbs: list[str], ask: Ask) -> list[str]:
    """What the last of the words may become, verb first; nothing where the others make no sense."""
    *before, last = words or [""]
    if not before:
        return [verb for verb in verbs if verb.startswith(last)]
    if last.startswith("-"):
        return [flag for flag in FLAGS if flag.startswith(last)]
    key, equals, value = last.partition("=")
    if equals and key in PATH_KEYS:
        latest = ["last"] if key in ("run", "resume", "encoder.run", "generator.run") else []
        found = [word for word in latest if word.startswith(value)] + _paths(value)
        return [f"{key}={word}" for word in found]
    verb = before[0]
    return [w for w in _hydras(before, last, ask) if verb == "train" or not _of_train(w)]


def _hydras(before: list[str], last: str, ask: Ask) -> list[str]:
    """Hydra's candidates, flags kept from it: it would parse them as it does when it runs."""
    try:
        arguments = read(before[1:])
    except GenlabError:
        return []
    pages = [flag for flag in arguments.flags if flag.startswith("--config-dir=")]
    os.environ["COMP_LINE"] = " ".join(["genlab", *arguments.overrides, last])
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        try:
            ask(before[0], ["query=fish", *pages, "--shell-completion"])
        except (Exception, SystemExit):  # a mistake earlier in the line is reported when it runs
            return []
    return out.getvalue().split()


def _of_train(word: str) -> bool:
    """Whether the word chooses a page, or a setting of Hydra's, which only training needs."""
    from genlab.config.pages import config_folder

    group = re.split(r"[=/.]", word)[0]
    return (config_folder() / group).is_dir()


def _paths(typed: str) -> list[str]:
    """Files and folders that begin as typed, folders with a slash."""
    folder, _, name = typed.rpartition("/")
    base = Path(f"{folder}/" if "/" in typed else ".").expanduser()
    try:
        entries = sorted(base.iterdir())
    except OSError:
        return []
    head = f"{folder}/" if "/" in typed else ""
    return [
        f"{head}{entry.name}{'/' if entry.is_dir() else ''}"
        for entry in entries
        if entry.name.startswith(name) and (name or not entry.name.startswith("."))
    ]


def _split(line: str) -> list[str]:
    """The words of a command line that may end within one."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that is still open
        words = line.split()
    return [*words, ""] if not line or re.search(r"(?<!\\)\s$", line) else words


def _for_bash(word: str, typed: str) -> str:
    """The word escaped, without what stands before the last character that bash breaks words at."""
    breaks = [c for c in "=:" if c in os.environ.get("COMP_WORDBREAKS", "")]
    start = max((typed.rfind(c) + 1 for c in breaks), default=0)
    return re.sub(r"([^\w./=,@:+~-])", r"\\\1", word[start:])
