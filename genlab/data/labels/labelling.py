"""Labels that a user has for images: in a file, or in the images' paths."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genlab.data.image_set import ImageSet
from genlab.data.labels import files
from genlab.data.labels.columns import UNKNOWN, Column, Labels, encoded
from genlab.data.labels.matching import matched
from genlab.data.listing import say
from genlab.errors import ConfigError, DataError
from genlab.words import counted, near_miss, one_of, readable, some

KINDS = ("auto", "classes")
MISSING = (UNKNOWN, "leave_out")
_LONGEST_PATTERN = 500


class Labelling:
    """Where the labels of images come from, and which of them count.

    A file or a pattern takes the place of labels that the images' container or folders give.

    Args:
        path: a file of labels, see `genlab.data.labels.files.read`; None for none.
        pattern: a regular expression whose named groups are labels, searched for in the path of
            each image; every text that it finds is a class. None for none.
        columns: the labels that count: names, or "auto" or "classes" by name; None for all. See
            `encoded`. Numbers are no conditions of models yet.
        missing: what becomes of an image without a value of a label: "unknown" gives it a class of
            that name, "leave_out" uses only images that have a value of every label that counts.
    """

    def __init__(
        self,
        path: str | None = None,
        pattern: str | None = None,
        columns: Any = None,
        missing: str = UNKNOWN,
    ) -> None:
        one_of("data.missing", missing, MISSING)
        self.path = None if path is None else Path(path).expanduser()
        self.pattern = pattern
        self.columns = _kinds(columns)
        self.missing = missing
        if pattern is not None and not self._groups.groupindex:
            raise ConfigError(
                f"data.labels_from={pattern} names no label: name one, as in '(?P<label>[a-z]+)_'"
            )

    def fingerprint(self) -> dict[str, object]:
        """All that labels depend on, as plain JSON; {} for what the images have anyway.

        Raises DataError where the file is not there.
        """
        found: dict[str, object] = {}
        if self.path is not None:
            try:
                status = self.path.stat()
            except OSError as error:
                raise DataError(
                    f"data.labels={readable(self.path)} cannot be read: {error.strerror}"
                ) from error
            found["file"] = [readable(self.path.name), status.st_size, status.st_mtime_ns]
        usual = {"pattern": None, "columns": None, "missing": UNKNOWN}
        return found | {
            name: getattr(self, name)
            for name, value in usual.items()
            if getattr(self, name) != value
        }

    @property
    def replaces(self) -> bool:
        """Whether other labels than the images have are told."""
        return self.path is not None or self.pattern is not None

    @property
    def chosen(self) -> dict[str, str] | None:
        """The columns that count of those that the images have anyway; None for all."""
        return None if self.replaces else self.columns

    def of(self, names: Sequence[str]) -> Labels:
        """The labels of images by their paths; what does not fit together is logged.

        Raises:
            ConfigError: a column is not there, or is not of the kind that is wanted.
            DataError: the file cannot be read.
        """
        in_file, in_paths = self._from_file(names), self._from_pattern(names)
        known = [column.name for column in (*in_file, *in_paths)]
        if twice := {name for name in known if known.count(name) > 1}:
            raise ConfigError(f"data.labels and data.labels_from both name {min(twice)}")
        self._refuse_unknown(known)
        kinds = dict.fromkeys(known, "classes")
        if self.columns is not None:
            kinds = {name: kinds[name] for name in self.columns}
        labels = encoded(in_file, self.columns)
        labels.add(encoded(in_paths, kinds))
        labels.say_unused()
        return labels

    def applied(self, image_set: ImageSet) -> ImageSet:
        """A set with the labels that count, and without the images that have no value of them.

        Raises:
            ConfigError: a column is not there, or is not of the kind that is wanted.
            DataError: labels cannot be read, or no image has all of them.
        """
        labels, classes = image_set.labels, image_set.classes
        if self.replaces:
            found = self.of(image_set.names or [])
            labels, classes = found.numbered, found.classes
        chosen = self._chosen(list(labels))
        classes = {name: classes[name] for name in chosen}
        labels = {name: labels[name] for name in chosen}
        unused = None
        if self.missing != UNKNOWN:
            labels, classes, unused = _without_unknown(labels, classes)
        return replace(image_set, labels=labels, classes=classes, unused=unused)

    def _chosen(self, labels: Sequence[str]) -> list[str]:
        """Of labels that there are, the names of those that count."""
        if self.chosen is None:
            return list(labels)
        self._refuse_unknown(labels)
        return [name for name in labels if name in self.chosen]

    def _refuse_unknown(self, known: Sequence[str]) -> None:
        for name in self.columns or ():
            if name not in known:
                told = near_miss(name, known)
                raise ConfigError(f"data.label_columns: there is no column {name}{told}")

    def _from_file(self, names: Sequence[str]) -> list[Column]:
        if self.path is None:
            return []
        rows = files.read(self.path)
        found = matched(rows.paths, names)
        told = f"data.labels={readable(self.path)}: {found.told(names)}"
        if not any(row is not None for row in found.rows):
            raise DataError(f"{told}: its paths must be those below data.path")
        say(told)
        return [column.at(found.rows) for column in rows.columns]

    @cached_property
    def _groups(self) -> "re.Pattern[str]":
        pattern = str(self.pattern)
        try:
            if len(pattern) > _LONGEST_PATTERN:
                raise ValueError(f"longer than {_LONGEST_PATTERN} characters")
            return re.compile(pattern)
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise ConfigError(
                f"data.labels_from={pattern[:80]} is no regular expression: {error}"
            ) from error

    def _from_pattern(self, names: Sequence[str]) -> list[Column]:
        if self.pattern is None:
            return []
        found = [self._groups.search(name) for name in names]
        without = [readable(name) for name, match in zip(names, found, strict=True) if not match]
        if len(without) == len(names):
            raise DataError(
                f"data.labels_from={self.pattern} fits no path of {counted(len(names), 'image')} "
                f"({some(without)})"
            )
        if without:
            count = counted(len(without), "image")
            say(f"data.labels_from={self.pattern} does not fit {count}: {some(without)}")
        return [
            Column(name, [match[name] if match else None for match in found])
            for name in self._groups.groupindex
        ]


def _kinds(columns: Any) -> dict[str, str] | None:
    """What is wanted of each column, by name; None for all."""
    if columns is None:
        return None
    if isinstance(columns, Mapping):
        for name, kind in columns.items():
            if kind == "numbers":
                raise ConfigError(
                    f"data.label_columns.{name}=numbers: numbers are not conditions of models yet; "
                    "make classes of them, or leave the column out"
                )
            one_of(f"data.label_columns.{name}", kind, KINDS)
        return {str(name): str(kind) for name, kind in columns.items()}
    return dict.fromkeys(map(str, columns if isinstance(columns, list) else [columns]), "auto")


def _without_unknown(
    labels: Mapping[str, np.ndarray], classes: Mapping[str, list[str]]
) -> tuple[dict[str, np.ndarray], dict[str, list[str]], np.ndarray | None]:
    """Labels without the class "unknown", and which images have it, bool (N,)."""
    known, kinds, unused = dict(labels), dict(classes), None
    for name, names in classes.items():
        if names[-1:] != [UNKNOWN]:
            continue
        kinds[name] = names[:-1]
        is_unknown = labels[name] == len(names) - 1
        known[name] = np.where(is_unknown, 0, labels[name])
        unused = is_unknown if unused is None else unused | is_unknown
    if unused is not None and unused.all():
        raise DataError("data.missing=leave_out leaves no image: none has all of the labels")
    if unused is not None:
        say(f"left out {counted(int(unused.sum()), 'image')} without a value of a label")
    return known, kinds, unused
