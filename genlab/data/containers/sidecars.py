"""Files beside images in archives that hold labels: StyleGAN's dataset.json, webdataset's samples.

A sample of webdataset is the files of one path but for what follows its dots: beside a/1.jpg are
a/1.cls (a class) or a/1.json (named values), and maybe a/1.seg.png, which is no image to train on.
"""

import json
from collections.abc import Sequence
from typing import Any

from genlab.data.labels.columns import Column

LISTS = "dataset.json"
SUFFIXES = (".cls", ".json")
LARGEST = 2**20
"""Bytes of one sidecar; larger ones hold no labels."""
_CLASS = "label"


class Sidecars:
    """Labels by their path without its suffix, while an archive is listed."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def add(self, name: str, content: bytes) -> None:
        """Keep what a .cls or .json file says; what is neither text nor a mapping says nothing."""
        try:
            told = _said(name, content.decode())
        except (ValueError, RecursionError):
            return
        if told:
            self._found.setdefault(_stem(name), {}).update(told)

    def are_of(self, name: str) -> bool:
        """Whether the image is its sample's own: a/1.jpg is, a/1.seg.png beside a/1.cls is not."""
        folder, slash, file = name.rpartition("/")
        sample = folder + slash + file.partition(".")[0]
        return _stem(name) in self._found or sample not in self._found

    def columns(self, names: Sequence[str]) -> list[Column] | None:
        """A column for each name of a value; None where no image of these names has a sidecar."""
        rows = [self._found.get(_stem(name), {}) for name in names]
        titles = dict.fromkeys(title for row in rows for title in row)
        if not titles:
            return None
        return [Column(title, [row.get(title) for row in rows]) for title in titles]


def _stem(name: str) -> str:
    """A path without its last suffix."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + (file.rpartition(".")[0] or file)


def _said(name: str, text: str) -> dict[str, Any]:
    if name.lower().endswith(".cls"):
        return {_CLASS: text.strip()}
    content = json.loads(text)
    if not isinstance(content, dict):
        return {}
    return {
        str(key): value
        for key, value in content.items()
        if isinstance(value, str | int | float | bool) and len(str(value)) <= 200
    }


def listed(text: str) -> dict[str, int | None]:
    """The labels of StyleGAN's dataset.json by path; none where it says null.

    Raises:
        ValueError: it is no such file, or its labels are no numbers of classes.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or "labels" not in content:
        raise ValueError('it has no "labels"')
    pairs = content["labels"]
    if pairs is None:
        return {}
    if not isinstance(pairs, list):
        raise ValueError('its "labels" are no list')
    found: dict[str, int | None] = {}
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ValueError('its "labels" are no pairs of a path and a class')
        if not isinstance(pair[1], int | None):
            raise ValueError(f"the label of {pair[0][:80]} is no number of a class")
        found[pair[0].replace("\\", "/")] = pair[1]
    return found
