"""Configs and states of runs from before players and remedies were objects of their own.

Stored runs are brought to today's form when they are opened; settings that somebody types by an old
name are refused with the new one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genlab.config.parts import Tree
from genlab.errors import ConfigError

_PLAYERS = {
    "generator": ("GeneratorPlayer", "generator_optimizer"),
    "translator": ("TranslatorPlayer", "translator_optimizer"),
    "translators": ("CyclePlayer", "translator_optimizer"),
}
_WEIGHTED = {  # numbers of before that are remedies now: name, class and argument
    "instance_noise": ("instance_noise", "InstanceNoise", "deviation"),
    "flipped_labels": ("flipped_labels", "FlippedLabels", "probability"),
    "historical_averaging": ("historical_averaging", "HistoricalAveraging", "weight"),
    "feature_matching": ("feature_matching", "FeatureMatching", "weight"),
    "weight_clip": ("weight_clipping", "WeightClipping", "limit"),
}
_OF_PLAYERS = (
    "auxiliary",
    "critic_sees_given",
    "ema_half_life_images",
    "generator_batches",
    "path_length",
    "generator_optimizer",
    "translator_optimizer",
    "critic_optimizer",
)
_OF_REMEDIES = ("penalties", "augmentation", "replay", *_WEIGHTED)

_OF_NETWORKS = (
    "latent_size|conditional_normalisation|condition|decoder|encoder|channels|across|classes|"
    "spectral|pack|head|equalised|patches"
)
_RENAMED = {
    r"model\.(generator|critic)_optimizer": r"model.\1.optimizer",
    r"model\.translator_optimizer": "model.translator.optimizer",
    rf"model\.(generator|critic)\.({_OF_NETWORKS})": r"model.\1.network.\2",
    r"model\.translators\.(translator|channels)": r"model.translators.network.\1",
    r"model\.translator\.(?!network|optimizer|ema_half_life_images|_)(\w+)": (
        r"model.translator.network.\1"
    ),
    r"model\.auxiliary": "model.critic.auxiliary",
    r"model\.critic_sees_given": "model.critic.sees_given",
    r"model\.ema_half_life_images": "model.generator.ema_half_life_images",
    r"model\.generator_batches": "model.generator.batches",
    r"model\.path_length": "model.generator.path_length",
    r"model\.penalties\.gradient": "model.remedies.gradient_penalty",
    r"model\.(penalties|replay)": r"model.remedies.\1",
    r"model\.augmentation": "model.remedies.ada",
    r"model\.instance_noise": "model.remedies.instance_noise.deviation",
    r"model\.flipped_labels": "model.remedies.flipped_labels.probability",
    r"model\.(historical_averaging|feature_matching)": r"model.remedies.\1.weight",
    r"model\.weight_clip": "model.remedies.weight_clipping.limit",
    r"(model\.(?:\w+\.)*(?:en|de)coder)\.odd": r"\1.levels",
}
_NOTES = {
    "model.translator.optimizer": "model.translators.optimizer with model=cyclegan",
    "model.generator.ema_half_life_images": "or of model.translator, or model.translators",
    "model.remedies.ada": "or model.remedies.diffaugment",
}


def renamed(key: str) -> str | None:
    """The name that a setting of before has now, by its dotted name; None for any other."""
    for old, new in _RENAMED.items():
        if found := re.match(rf"{old}(?![^.])", key):
            now = found.expand(new).replace("remedies.penalties", "remedies")
            return now + key[found.end() :]
    return None


def refuse_renamed(keys: Iterable[str]) -> None:
    """Raise ConfigError for settings of before, with what they are called now."""
    found = {key: now for key in keys if (now := renamed(key))}
    told = []
    for key, now in found.items():
        notes = [note for name, note in _NOTES.items() if now.startswith(name)]
        told.append(f"{key} is called {now} now" + "".join(f" ({note})" for note in notes))
    if told:
        raise ConfigError("; ".join(told))


def migrated(config: Tree) -> Tree:
    """The stored config of a run in today's form; one that has it already stays as it is."""
    model = config.get("model")
    if not isinstance(model, dict):
        return config
    model = _with_levels(model)
    if any(optimizer in model for _, optimizer in _PLAYERS.values()):
        model = _with_players(model)
    return {**config, "model": model}


def _with_levels(node: Any) -> Any:
    """The tree with `levels: all` for `odd: true`."""
    if not isinstance(node, dict):
        return node
    made = {key: _with_levels(value) for key, value in node.items() if key != "odd"}
    if node.get("odd") is True and node.get("levels") is None:
        made["levels"] = "all"
    return made


def _with_players(model: Tree) -> Tree:
    """A game's tree with players and remedies in place of settings for each."""
    made: Tree = {}
    for key, value in model.items():
        if key in _PLAYERS:
            name, optimizer = _PLAYERS[key]
            made[key] = {
                "_target_": f"genlab.learners.{name}",
                **({"_partial_": True} if key == "translator" else {}),
                "network": value,
                **_chosen(model, optimizer=optimizer, ema_half_life_images="ema_half_life_images"),
            }
        elif key == "critic":
            made[key] = _critic_player(model) if isinstance(value, dict) else value
        elif key not in (*_OF_PLAYERS, *_OF_REMEDIES):
            made[key] = value
    if "generator" in made:
        made["generator"]["batches"] = model.get("generator_batches", 1)
        made["generator"]["path_length"] = model.get("path_length")
    made["remedies"] = _remedies(model)
    return made


def _critic_player(model: Tree) -> Tree:
    player: Tree = {"_target_": "genlab.learners.CriticPlayer"}
    if "generator" in model:
        player["auxiliary"] = model.get("auxiliary", 1.0)
    else:
        player["_partial_"] = True
    if "translator" in model:
        player["_target_"] = "genlab.learners.TranslationCriticPlayer"
        player["sees_given"] = model.get("critic_sees_given", False)
    network = {**model["critic"], "_partial_": True}
    return {**player, "network": network, **_chosen(model, optimizer="critic_optimizer")}


def _chosen(model: Tree, **names: str) -> Tree:
    """Entries of the model by other names, where there are any."""
    return {name: model[old] for name, old in names.items() if old in model}


def _remedies(model: Tree) -> Tree:
    """In the order in which a game used them; what is none is refused where it is built."""
    made: Tree = {}
    if augmentation := model.get("augmentation"):
        adaptive = str(augmentation).find("AdaptiveAugmentation") >= 0
        made["ada" if adaptive else "diffaugment"] = _of_today(augmentation)
    made |= _weighted(model, "instance_noise")
    if replay := model.get("replay"):
        made["replay"] = _of_today(replay)
    made |= _weighted(model, "flipped_labels")
    penalties = model.get("penalties") or {}
    for name, penalty in penalties.items() if isinstance(penalties, dict) else ():
        if penalty:
            made["gradient_penalty" if name == "gradient" else name] = _of_today(penalty)
    for key in ("historical_averaging", "feature_matching", "weight_clip"):
        made |= _weighted(model, key)
    return made


def _of_today(remedy: Any) -> Any:
    """An object of before, which has another place now."""
    if not isinstance(remedy, dict) or not isinstance(remedy.get("_target_"), str):
        return remedy
    kind = remedy["_target_"].rpartition(".")[2]
    settings = {key: value for key, value in remedy.items() if key != "_partial_"}
    return {**settings, "_target_": f"genlab.remedies.{kind}"}


def _weighted(model: Tree, key: str) -> Tree:
    name, kind, argument = _WEIGHTED[key]
    value = model.get(key)
    return {name: {"_target_": f"genlab.remedies.{kind}", argument: value}} if value else {}


_Rules = Sequence[tuple[str, ...]]
"""Beginnings of names as patterns, each with what stands in its place, once or for each critic."""

_STATE_OF_GENERATOR: _Rules = (
    (r"(generator|critic)\.", r"\1.network."),
    (r"average\.", "generator.average."),
    (r"path_length\.", "generator.path_length."),
    (r"replay\.", "critic.remedies.replay."),
    (r"past_(critic|generator)\.", r"critic.remedies.historical_averaging.\1."),
    (r"augmentation\.", "critic.remedies.ada."),
)
_STATE_OF_TRANSLATOR: _Rules = (
    (r"(translator|critic)\.", r"\1.network."),
    (r"average\.", "translator.average."),
    (r"augmentation\.", "critic.remedies.ada."),
)
_STATE_OF_CYCLE: _Rules = (
    (r"translators\.", "translators.network."),
    (r"critics\.(\d)\.", r"critics.\1.network."),
    (r"average\.", "translators.average."),
    (r"replays\.(\d)\.", r"critics.\1.remedies.replay."),
    (r"augmentation\.", "critics.0.remedies.ada.", "critics.1.remedies.ada."),
)


def migrated_state(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's content with today's names of tensors; one that has them already stays.

    ADA of a cycle was one for both critics, and is one for each.
    """
    tensors = checkpoint.get("state_dict")
    if not isinstance(tensors, dict) or not _any_begins(tensors, "average."):
        return dict(checkpoint)
    rules = _STATE_OF_GENERATOR
    if _any_begins(tensors, "translators."):
        rules = _STATE_OF_CYCLE
    elif _any_begins(tensors, "translator."):
        rules = _STATE_OF_TRANSLATOR
    made = {**checkpoint, "state_dict": _renamed_tensors(tensors, rules)}
    ranks = checkpoint.get("ranks")
    if isinstance(ranks, list):
        made["ranks"] = [_with_renamed_buffers(own, rules) for own in ranks]
    return made


def _any_begins(tensors: Mapping[Any, Any], prefix: str) -> bool:
    return any(str(name).startswith(prefix) for name in tensors)


def _with_renamed_buffers(own: Any, rules: _Rules) -> Any:
    """What a further process has of its own, with today's names."""
    if not isinstance(own, dict) or not isinstance(own.get("buffers"), dict):
        return own
    return {**own, "buffers": _renamed_tensors(own["buffers"], rules)}


def _renamed_tensors(tensors: Mapping[Any, Any], rules: _Rules) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, tensor in tensors.items():
        made |= dict.fromkeys(_names_today(str(name), rules), tensor)
    return made


def _names_today(name: str, rules: _Rules) -> list[str]:
    for old, *new in rules:
        if re.match(old, name):
            return [re.sub(rf"^{old}", each, name) for each in new]
    return [name]
