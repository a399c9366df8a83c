"""Where config pages lie: ours and the user's own."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from genlab.errors import ConfigError
from genlab.io.reading import read_text
from genlab.settings import COMMANDS

HYDRAS = "nothing of hydra: give it on the command line"


def config_folder() -> Path:
    """The packaged pages: inside the package (a wheel) or beside it (a checkout)."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "configs", package.parent / "configs"):
        if folder.is_dir():
            return folder
    raise ConfigError(f"the config pages are missing beside {package}: install genlab again")


def user_folders(argv: Iterable[str]) -> list[Path]:
    """Folders of the user's own pages, first wins: --config-dir, then GENLAB_CONFIGS."""
    named = [word.split("=", 1)[1] for word in argv if word.startswith("--config-dir=")]
    named += [name for name in os.environ.get("GENLAB_CONFIGS", "").split(os.pathsep) if name]
    folders = [Path(name).expanduser().resolve() for name in named]
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder of config pages")
    return folders


def check_folder(folder: Path) -> None:
    """Raise ConfigError for a folder of pages that reaches for what is not a page's."""
    if "${" in str(folder):
        raise ConfigError(f"{folder}: rename the folder, ${{ stands for a setting")
    ours = {f"{command}.yaml" for command in ("train", *COMMANDS)}
    for name in sorted(os.listdir(folder)):
        if name in ours:
            raise ConfigError(
                f"{folder / name} would take the place of a command's own page: pages lie in "
                "folders named for their groups, as in model/NAME.yaml"
            )
        if name.lower() == "hydra":
            raise ConfigError(f"{folder / name}: folders of pages may set {HYDRAS}")


def described(group: str, folders: Sequence[Path]) -> dict[str, str]:
    """What every page of a group is, by its name; of pages of one name the first folder's."""
    pages: dict[str, str] = {}
    for folder in folders:
        for file in sorted((folder / group).glob("*.yaml")):
            pages.setdefault(file.stem, description(file))
    return pages


def description(page: Path) -> str:
    """The first comment line of a page that is not a directive to Hydra."""
    for line in read_text(page, ConfigError).splitlines():
        if line.startswith("#") and "@package" not in line:
            return line.lstrip("# ").strip()
    return ""
