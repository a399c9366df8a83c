"""Which image a row of labels means."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from genlab.words import counted, readable, some


@dataclass
class Match:
    """Rows of labels and images that belong together.

    Attributes:
        rows: the number of the row of each image; None where it has none.
        lost: names of rows for which there is no image, or several.
        doubled: names of rows for images that have an earlier row.
    """

    rows: list[int | None]
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def told(self, names: Sequence[str]) -> str:
        """One line on what was found, for images of these names."""
        without = [name for name, row in zip(names, self.rows, strict=True) if row is None]
        said = [f"{len(names) - len(without):,} of {counted(len(names), 'image')} have labels"]
        for one, several, found in (
            ("image without a row", "images without a row", without),
            ("row without an image", "rows without an image", self.lost),
            (
                "row for an image that has one",
                "rows for images that have one",
                self.doubled,
            ),
        ):
            if found:
                listed = some([readable(each) for each in found])
                said.append(f"{counted(len(found), one, several)} ({listed})")
        return "; ".join(said)


def matched(rows: Sequence[str], names: Sequence[str]) -> Match:
    """Find the image of each row.

    A row is the path of an image, or an end of it that no other image has ("1.png" for
    cats/1.png); or it ends with the path of an image (/home/me/cats/1.png). The suffix may be
    missing. Where there are several rows for an image, the first one counts.

    Args:
        rows: paths as others wrote them.
        names: paths of the images.
    """
    found = Match([None] * len(names))
    whole, bare = _Index(names), None
    for number, row in enumerate(rows):
        position = whole.exact.get(row)
        if position is None:
            parts = _parts(row)
            position = whole.find(parts)
        if position is None:
            bare = bare or _Index([_stem(name) for name in names])
            position = bare.find(parts)
        if position is None:
            found.lost.append(row)
        elif found.rows[position] is None:
            found.rows[position] = number
        else:
            found.doubled.append(row)
    return found


class _Index:
    """Positions of names, and of the ends that only one of them has.

    Attributes:
        exact: the position of each name; None where several are the same.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.exact: dict[str, int | None] = {}
        for position, name in enumerate(names):
            _add(self.exact, name, position)

    @cached_property
    def _ends(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        for position, name in enumerate(self._names):
            for end in _ends(name.split("/")[1:]):
                _add(found, end, position)
        return found

    def find(self, parts: list[str]) -> int | None:
        """The position of the image that a path in parts means; None for none, or several."""
        if not parts:
            return None
        path = "/".join(parts)
        if path in self.exact:
            return self.exact[path]
        if path in self._ends:
            return self._ends[path]
        return next((self.exact[end] for end in _ends(parts[1:]) if end in self.exact), None)


def _add(places: dict[str, int | None], name: str, position: int) -> None:
    """Keep a position; None where there is one already."""
    places[name] = None if name in places else position


def _ends(parts: Sequence[str]) -> Iterator[str]:
    """The path and its ends, the longest first."""
    for first in range(len(parts)):
        yield "/".join(parts[first:])


def _parts(row: str) -> list[str]:
    """The parts of a path as others wrote it."""
    path = row.strip().replace("\\", "/")
    return [part for part in path.split("/") if part not in ("", ".")]


def _stem(name: str) -> str:
    """A path without its suffix."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + (file.rpartition(".")[0] or file)
