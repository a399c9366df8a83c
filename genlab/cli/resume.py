"""Going on with a run: its own config.yaml, read as data, and the new words on top.

Nothing else of the run folder is used: no word of its record, no flag, no setting of Hydra.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from genlab.cli.arguments import Arguments
from genlab.config.checks import checked
from genlab.config.documentation import annotated
from genlab.config.hydra_errors import explain, hint_for
from genlab.config.pages import config_folder
from genlab.config.parts import Tree, flatten
from genlab.config.run import RunConfig
from genlab.config.schema import SKELETON, check, register_schema
from genlab.console import log_to
from genlab.errors import CheckpointError, ConfigError
from genlab.io import secrets
from genlab.jobs import sweep, train
from genlab.jobs.prerequisites import with_generated_images
from genlab.processes import launch, peers
from genlab.runs.run_folder import RunFolder

_WHOLE = ("data", "trainer")
"""Groups whose page fills one node of a resolved config and nothing else."""
_SHOWING = ("--help", "--hydra-help")


def resume(folder: RunFolder, words: Arguments) -> None:
    """Train the run further, or only print its config where a flag asks for that."""
    if launch.rank() > 0:
        train.follow()
        return
    with peers.leading(sweep.message_and_code):
        _resume(folder, words)


def _resume(folder: RunFolder, words: Arguments) -> None:
    _check_flags(words.flags)
    plain = merged(folder, words.overrides)
    if "--cfg=job" in words.flags:
        shown = secrets.redacted(plain)
        print(annotated(OmegaConf.to_yaml(OmegaConf.create(shown)), shown), end="")
        return
    with log_to(None, on_console=True):
        try:
            config = with_generated_images(RunConfig.read(plain), folder.path)
            sweep.print_end(folder.path, train.train(config, folder.path, None, go_on=True))
        except ConfigError as error:
            raise _told_with_file(error, folder, words.overrides) from error


def merged(folder: RunFolder, words: Sequence[str]) -> dict[str, Any]:
    """The stored config with the new words applied; nothing of it is an interpolation any more.

    Raises:
        CheckpointError: the stored config is none that a run can be made of.
        ConfigError: words that cannot be applied.
    """
    stored = folder.config().plain
    overrides = [o for o in _parsed(words) if not _says_nothing(o, folder)]
    config = OmegaConf.create(stored)
    pages = [o for o in overrides if _is_group(o.key_or_group)]
    for page in pages:
        config[page.key_or_group] = _composed(page)
    typed = OmegaConf.merge(OmegaConf.structured(SKELETON), _defaults(), config)
    assert isinstance(typed, DictConfig)
    _apply([o for o in overrides if o not in pages], typed, words)
    try:
        new = cast(Tree, OmegaConf.to_container(typed, resolve=True, throw_on_missing=True))
    except OmegaConfBaseException as error:
        told = ConfigError(explain(error, ["train", *words]))
        raise _told_with_file(told, folder, words) from error
    if "scale" not in stored:  # by an older version: its values are all there
        del new["scale"]
    _follow(stored["data"], new, replaced=any(p.key_or_group == "data" for p in pages))
    try:
        if place := secrets.hidden({key: new[key] for key in ("model", "data")}):
            raise ConfigError(f"{place} is not kept with a run: give it again, {place}=VALUE")
        check(new)
        checked(new)
    except ConfigError as error:
        raise _told_with_file(error, folder, words) from error
    return new


def _defaults() -> dict[str, Any]:
    """What a run's settings are where no page says otherwise, for runs that lack the newest."""
    page: Any = OmegaConf.to_container(OmegaConf.load(config_folder() / "train.yaml"))
    return {key: value for key, value in page.items() if key not in ("defaults", "hydra", "scale")}


def _check_flags(flags: Sequence[str]) -> None:
    """Raise ConfigError for flags that have no meaning where no pages are composed."""
    for flag in flags:
        if flag == "--multirun":
            raise ConfigError(
                "resume= cannot be combined with -m: run the sweep again with the same "
                "hydra.sweep.dir=PATH, which skips finished jobs and resumes the others"
            )
        if flag.startswith(("--info", "--cfg=hydra", "--cfg=all", "--package")):
            raise ConfigError(f"{flag} cannot be combined with resume=: --cfg job shows the run's")


def _parsed(words: Sequence[str]) -> list[Override]:
    found = []
    for override in OverridesParser.create().parse_overrides(list(words)):
        if override.is_sweep_override():
            raise ConfigError(
                f"{override.input_line}: resume= goes on with one run: give a single value"
            )
        found.append(override)
    return found


def _says_nothing(override: Override, folder: RunFolder) -> bool:
    """Whether a word changes nothing; ConfigError for one that cannot be applied."""
    key, word = override.key_or_group, override.input_line or ""
    if key == "resume":
        return True
    if key == "hydra.run.dir" and Path(str(override.value())).resolve() == folder.path.resolve():
        return True
    if key.startswith("hydra"):
        raise ConfigError(f"{word}: a run goes on in its own folder, without settings of hydra")
    if key == "scale":
        return _same_scale(word, override.value(), folder)
    if not _is_group(key):
        return False
    if word in folder.overrides():
        return True
    if key not in _WHOLE or override.package or not isinstance(override.value(), str):
        raise ConfigError(
            f"{word}: the run's networks and losses stay as its config.yaml has them: change "
            "single settings, KEY=VALUE with allow_changes=true, or start a new run"
        )
    return False


def _same_scale(word: str, wanted: Any, folder: RunFolder) -> bool:
    """True where the run has the scale that is wanted; ConfigError where it has another."""
    has = folder.config().scale
    if wanted not in ("auto", has):
        told = f"was started with scale={has}" if has else "has no scale, it is of an older version"
        raise ConfigError(f"{word}: the run {told}: leave scale= out, or start a new run")
    return True


def _is_group(key: str) -> bool:
    return (config_folder() / key).is_dir()


def _composed(page: Override) -> dict[str, Any]:
    """The node that a page fills; ConfigError for a page that sets anything else."""
    key = page.key_or_group
    register_schema()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        try:
            plain, chosen = (compose("train", overrides=o) for o in ([], [str(page.input_line)]))
        except HydraException as error:
            raise ConfigError(explain(error, ["train", str(page.input_line)])) from error
    others = [dict(flatten(_without(config, key))) for config in (plain, chosen)]
    if others[0] != others[1]:
        changed = sorted(k for k, v in others[1].items() if others[0].get(k) != v)
        raise ConfigError(
            f"{page.input_line} also sets {', '.join(changed[:3])}: with resume= give the single "
            f"settings that are to change, {key}.KEY=VALUE"
        )
    return cast(Tree, OmegaConf.to_container(chosen[key]))


def _without(config: DictConfig, key: str) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(config)
    return {name: value for name, value in plain.items() if name not in (key, "resume")}


def _apply(overrides: list[Override], config: DictConfig, words: Sequence[str]) -> None:
    """Apply value overrides as Hydra does to a config that it has composed."""
    OmegaConf.set_struct(config, True)
    for override in overrides:
        try:
            ConfigLoaderImpl._apply_overrides_to_config([override], config)
        except HydraException as error:
            keys = [path for path, _ in flatten(OmegaConf.to_container(config))]
            if override.key_or_group not in keys and "Could not override" in str(error):
                hint = hint_for(override.key_or_group, [*keys, *_inner(keys)])
                told = hint or "; genlab train resume=PATH --cfg job shows all"
                raise ConfigError(f"{override.key_or_group}: no such setting{told}") from error
            raise ConfigError(explain(error, ["train", *words])) from error


def _inner(keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        while "." in key:
            key = key.rpartition(".")[0]
            yield key


def _follow(before: dict[str, Any], config: dict[str, Any], replaced: bool) -> None:
    """Let what took its value from a setting of the data take the new one.

    Pages name the size, the channels and the place of images once, under `data`; sources and
    networks have copies of it in a resolved config, under the same name or of the same words.
    """
    for key, old in before.items():
        new = config["data"].get(key)
        if new == old or isinstance(old, (dict, list)) or old is None or new is None:
            continue
        if not replaced:
            _replace(config["data"].get("source"), key, old, new, isinstance(old, str))
        _replace(config["model"], key, old, new, False)


def _replace(node: Any, name: str, old: Any, new: Any, by_value: bool) -> None:
    """Put `new` in place of `old` under the name, or wherever it is where `by_value`."""
    items: Any = ()
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    for key, value in items:
        same = type(value) is type(old) and value == old and key not in ("_target_", "_partial_")
        if same and (by_value or key == name):
            node[key] = new
        _replace(value, name, old, new, by_value)


def _told_with_file(
    error: ConfigError, folder: RunFolder, words: Sequence[str]
) -> ConfigError | CheckpointError:
    """The error with the file that it is about; one of the run where no new word is to blame."""
    if str(folder.path) in str(error):
        return error
    told = f"{str(error)[:200]} (in {folder.config_file})"
    if not words:
        return CheckpointError(told)
    try:
        merged(folder, [])
    except CheckpointError:
        return CheckpointError(told)
    return ConfigError(told)
