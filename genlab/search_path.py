"""Hydra's search path, with the folders of a user's own pages before the packaged ones."""

from pathlib import Path
from typing import ClassVar

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class UserPages(SearchPathPlugin):
    """Prepends `folders`, the first of which wins; the command line sets them for each call."""

    folders: ClassVar[list[Path]] = []

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Hydra's hook."""
        for folder in reversed(self.folders):
            search_path.prepend(provider="user", path=f"file://{folder}", anchor="main")
