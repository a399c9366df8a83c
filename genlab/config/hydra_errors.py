"""One line from Hydra's and OmegaConf's errors, with the near miss."""

import re
from collections.abc import Sequence

from genlab.config.pages import config_folder
from genlab.config.parts import flatten
from genlab.config.scale import RENAMED
from genlab.words import near_miss

_LENGTH = "length is counted in images: total_images=N, or max_minutes=N"
_RATE = "model.rate=0.5 halves the learning rates"
_ELSEWHERE = {
    **dict.fromkeys(("epochs", "max_epochs", "num_epochs", "n_epochs", "epoch"), _LENGTH),
    **dict.fromkeys(("steps", "max_steps", "iterations", "iters", "num_iterations"), _LENGTH),
    **dict.fromkeys(("lr", "learning_rate", "rate"), _RATE),
    **dict.fromkeys(
        ("gpus", "gpu", "ngpu", "num_gpus"), "trainer=gpu, or trainer=ddp for all GPUs"
    ),
    **dict.fromkeys(("device", "cuda"), "trainer.accelerator=cpu, gpu, mps or auto"),
    **dict.fromkeys(("size", "image_size", "img_size"), "data.resolution=N"),
    **dict.fromkeys(("batch", "bs", "batchsize"), "data.batch_size=N"),
    **dict.fromkeys(("workers", "num_workers"), "images are loaded by threads, without workers"),
    **dict.fromkeys(
        ("dataset", "data_dir", "dataroot", "path"), "data=folder data.path=DIR, or data=NAME"
    ),
    **dict.fromkeys(("out", "output", "output_dir", "outdir"), "hydra.run.dir=PATH"),
    **dict.fromkeys(("amp", "fp16", "bf16"), "trainer.precision=bf16-mixed or 32-true"),
    **dict.fromkeys(("run", "ckpt", "checkpoint_path", "resume_from"), "resume=PATH"),
}
"""What usual words for a setting are called here."""
_LATENT = ("latent_dim", "latent_size", "z_dim", "nz", "codes")  # of GANs and of autoencoders
_MOST_HINTS = 3


def hint_for(name: str, known: Sequence[str]) -> str:
    """What to end a message on an unknown setting with: "; " and the ones that may be meant, or "".

    These are what usual words stand for, settings with the same last part, or similar names.
    """
    last = name.rpartition(".")[2]
    wanted = _LATENT if last in _LATENT else ("lr",) if last == "learning_rate" else (last,)
    same = [key for key in known if key.rpartition(".")[2] in wanted and key != name]
    told = [_ELSEWHERE[last]] if _ELSEWHERE.get(last) else []
    same = sorted(same, key=lambda key: (key.count("."), key))[:_MOST_HINTS]
    if told and same:
        return f"; {told[0]} ({', '.join(same)})"
    if told or same:
        return f"; did you mean {' or '.join(same)}?" if same else f"; {told[0]}"
    return near_miss(name, known)


def explain(error: Exception, argv: list[str]) -> str:
    """The mistake on the command line in `argv` (verb first) behind a Hydra or OmegaConf error."""
    messages = _chain(error)
    text = "\n".join(messages)
    page = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if page and (now := RENAMED.get("=".join(page.groups()))):
        return f"{'='.join(page.groups())} is {now} now"
    if page:
        group, name = page.groups()
        options = re.search(r"Available options in .*?:\n((?:\s+\S+\n?)*)", text)
        known = options[1].split() if options else []
        return f"{group}={name}: no such page{near_miss(name, known)}"
    # One of a list of pages, whose options Hydra does not say.
    page = re.search(r"Could not load '([^']+)/([^'/]+)'", text)
    if page:
        group, name = page.groups()
        known = [file.stem for file in (config_folder() / group).glob("*.yaml")]
        return f"{group}: {name}: no such page{near_miss(name, known)}"
    several = re.search(r"Ambiguous value for argument '([^']+)'", text)
    if several:
        return f"{several[1]} gives several values: add -m to run with each of them"
    key = re.search(r"Could not override '([^']+)'", text) or re.search(
        r"Key '([^']+)' is not in struct", text
    )
    full = re.search(r"full_key: (\S+)", text)
    if key:
        name = key[1] if not full or key[1].endswith(full[1]) else full[1]
        known = _known_keys(argv)
        if name in known:
            parent = name.rpartition(".")[0]
            return f"{name}: entries with a number as name are set all at once: {parent}={{...}}"
        hint = hint_for(name, known) or f"; genlab {argv[0]} --cfg job shows all"
        return f"{name}: no such setting{hint}"
    missing = re.search(r"Missing mandatory value: (\S+)", text)
    if missing:
        name = full[1] if full and "." not in missing[1] else missing[1]
        return f"{name} is missing: add {name}=VALUE"
    return _at_its_place(text, messages[-1].splitlines()[0], argv)


def _at_its_place(text: str, complaint: str, argv: list[str]) -> str:
    """The complaint after the override or setting that it is about."""
    override = re.search(r"Error merging override (.+)", text)
    full = re.search(r"full_key: (\S+)", text)
    place = override[1] if override else full[1] if full else ""
    variable = re.search(r"Environment variable '(\S+)' not found", text)
    if variable:
        return f"{place}: the environment has no {variable[1]}: set it, or give {place}=VALUE"
    interpolation = re.search(r"Interpolation key '([^']+)' not found", text)
    if interpolation and not place:
        place = next((word for word in argv if f"${{{interpolation[1]}}}" in word), "")
    complaint = complaint.replace("is not Optional", "cannot be null")
    if "is not a subclass of" in complaint or "Cannot merge" in complaint:
        name = place.partition("=")[0]
        complaint = f"its entries are set one by one: {name}.NAME=VALUE"
    return complaint if place in complaint else f"{place}: {complaint}"


def _chain(error: BaseException | None) -> list[str]:
    messages = []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__
    return messages


def _known_keys(argv: list[str]) -> list[str]:
    """Every setting and group of the verb, composed with the pages chosen in `argv`."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    verb, words = argv[0], argv[1:]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        names = {folder.name for folder in config_folder().iterdir() if folder.is_dir()}
        groups = [word for word in words if word.partition("=")[0] in names]
        try:
            composed = compose(verb, overrides=groups)
        except Exception:  # the choice of pages is itself at fault: there is nothing to compare
            return []
    plain = OmegaConf.to_container(composed, resolve=False)
    paths = [path for path, _ in flatten(plain) if not path.endswith(("_target_", "_partial_"))]
    inner = {
        path.rsplit(".", depth)[0] for path in paths for depth in range(1, path.count(".") + 1)
    }
    return [*paths, *inner]
