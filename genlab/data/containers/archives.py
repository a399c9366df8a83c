"""Images in zip and tar archives, which are read in place: nothing is unpacked to the disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from genlab.data.budget import Budget
from genlab.data.containers import sidecars, tars
from genlab.data.containers.container import Container, Limit
from genlab.data.containers.members import MIB, UNREADABLE, Archive, Entry, Member, below_common
from genlab.data.containers.tars import Tar
from genlab.data.containers.zips import Zip
from genlab.data.image_files import BYTES_PER_PIXEL, Encoded, begins_like_image, opened
from genlab.data.labels.columns import Column
from genlab.data.listing import SUFFIXES as IMAGE_SUFFIXES
from genlab.data.listing import files_below, is_hidden, say_no_images
from genlab.data.source import stamp
from genlab.errors import DataError, DataMissing
from genlab.io.reading import one_line
from genlab.words import base_name, counted, readable, some

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_MOST = 10_000_000  # members
_LARGEST_LIST = 256 * MIB  # of dataset.json
_budget = Budget(256 * MIB)  # of encoded images, over all threads
_logger = logging.getLogger(__name__)


class Archives(Container):
    """All images in an archive, or in all archives below a folder, in the order of their paths.

    Labels are those of StyleGAN's dataset.json or of webdataset's .cls and .json files. Links,
    encrypted members and paths that are absolute or have ".." are left out; archives whose
    members overlap, or that unpack to far more bytes than images do, are refused.
    """

    kind: ClassVar[str] = "Archive"

    @cached_property
    def files(self) -> list[Path]:
        """The archives."""
        path = readable(self.path)
        if not self.path.exists():
            raise DataMissing(f"data.path={path} does not exist", "name a zip or tar of images")
        if not self.path.is_dir():
            return [self.path]
        files = files_below(self.path, SUFFIXES)
        if not files:
            raise DataMissing(f"data.path={path} holds no archives", "it needs .zip or .tar files")
        return files

    @property
    def names(self) -> Sequence[str]:
        """The path of each image within its archive, below the folder that all images are in."""
        return self._contents.names

    @property
    def about(self) -> str:
        """The archive's name."""
        if len(self.files) > 1:
            return f"of {len(self.files):,} archives in {base_name(self.path)}"
        return f"of the archive {base_name(self.path)}"

    def stamp(self) -> str:
        """Of the archives' names, sizes and times."""
        root = self.path if self.path.is_dir() else self.path.parent
        return stamp(root, self.files)

    def columns(self) -> Sequence[Column] | None:
        """What dataset.json or the files beside the images say."""
        return self._contents.columns

    @property
    def reading_order(self) -> np.ndarray:
        """From the front of the first archive to the end of the last one."""
        members, archives = self._contents.members, self._contents.archives
        starts = np.array([member.start for member in members], np.int64)
        return np.lexsort((starts, archives))

    @contextmanager
    def opened(self, position: int, limit: Limit) -> Iterator[Image]:
        """The image of a member, which is held in memory while it is open."""
        member = self._contents.members[position]
        name, most = self.whereabouts(position), BYTES_PER_PIXEL * limit.max_pixels
        with _budget.held(member.size + member.packed):
            try:
                if member.size > most:
                    allowed = f"the {most // MIB:,} MiB of {limit.key}={limit.max_pixels}"
                    raise ValueError(f"its {member.size // MIB:,} MiB are more than {allowed}")
                archive = self._archives[int(self._contents.archives[position])]
                content = archive.read(member)
            except UNREADABLE as error:
                told = f"{name} cannot be used: {one_line(error)}; {limit.fix}"
                raise DataError(told) from error
            with opened(Encoded(name, content), *limit) as image:
                yield image

    def release(self) -> None:
        """Close compressed archives."""
        tars.release()

    def whereabouts(self, position: int) -> str:
        """The archive and the path within it."""
        file = self.files[int(self._contents.archives[position])]
        return f"{readable(file)}: {readable(self._contents.members[position].name)}"

    @cached_property
    def _archives(self) -> list[Archive]:
        return [_archive(file) for file in self.files]

    @cached_property
    def _contents(self) -> _Contents:
        listing, root = _Listing(), readable(self.path)
        for number, file in enumerate(self.files):
            with _readable_as_archive(file):
                listing.read(number, self._archives[number])
        with _readable_as_archive(self.path):
            contents = listing.contents(root)
        if not contents.names:
            raise DataMissing(f"data.path={root} holds no images", "name another archive")
        return contents


@dataclass(frozen=True)
class _Contents:
    """Images of all archives, sorted by their paths.

    Attributes:
        names: of each image, below the folder that all are in.
        members: where each is.
        archives: the number of its archive, int64 (N,).
        columns: what is said of them.
    """

    names: list[str]
    members: list[Member]
    archives: np.ndarray
    columns: list[Column] | None


@dataclass
class _Listing:
    """What was found in archives so far."""

    images: list[tuple[int, Member]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    beside: sidecars.Sidecars = field(default_factory=sidecars.Sidecars)
    lists: list[str] = field(default_factory=list)

    def read(self, number: int, archive: Archive) -> None:
        """Add what is in an archive; of two members of one name the last counts, as on a disk."""
        found: dict[str, Member] = {}
        for entry in archive.entries():
            member = entry.member
            if member is None:
                self.refused.append(entry.name)
            elif not any(map(is_hidden, member.name.split("/"))):
                self._take(entry, member, found)
            if len(found) + len(self.images) > _MOST:
                raise ValueError(f"more than {_MOST:,} images")
        self.images += [(number, member) for member in found.values()]

    def _take(self, entry: Entry, member: Member, found: dict[str, Member]) -> None:
        name = member.name.lower()
        if name.endswith(IMAGE_SUFFIXES):
            found[member.name] = member
        elif member.name == sidecars.LISTS:
            self.lists.append(_text(entry, member))
        elif name.endswith(sidecars.SUFFIXES) and member.size <= sidecars.LARGEST:
            self.beside.add(member.name, _head(entry, sidecars.LARGEST))
        elif begins_like_image(_head(entry, 32)):
            found[member.name] = member
        else:
            self.others.append(member.name)

    def contents(self, root: str) -> _Contents:
        """What all archives hold; what was left out is logged."""
        used = [each for each in self.images if self.beside.are_of(each[1].name)]
        others = {member.name for _, member in self.images} - {member.name for _, member in used}
        say_no_images(root, sorted([*self.others, *others]))
        if self.refused:
            _logger.warning(
                "left out %s of %s that are links, encrypted, or of paths that lead out of it: %s",
                counted(len(self.refused), "member"),
                root,
                some([readable(name) for name in self.refused]),
            )
        used.sort(key=lambda each: each[1].name.split("/"))
        paths = [member.name for _, member in used]
        numbers = np.array([number for number, _ in used], np.int64)
        members = [member for _, member in used]
        return _Contents(below_common(paths), members, numbers, self._columns(paths))

    def _columns(self, names: list[str]) -> list[Column] | None:
        if not self.lists:
            return self.beside.columns(names)
        found: dict[str, Any] = {}
        for text in self.lists:
            found |= sidecars.listed(text)
        return [Column("label", [found.get(name) for name in names])] if found else []


@contextmanager
def _readable_as_archive(file: Path) -> Iterator[None]:
    """Raise DataError where reading fails."""
    try:
        yield
    except UNREADABLE as error:
        raise DataError(
            f"data.path={readable(file)}: not readable as a zip or tar of images "
            f"({one_line(error)}): fetch or make it again"
        ) from error


def _archive(file: Path) -> Archive:
    """A file as the archive that its first bytes say it is."""
    with file.open("rb") as opened_file:
        is_zip = opened_file.read(4) in (b"PK\3\4", b"PK\5\6")
    return Zip(file) if is_zip else Tar(file)


def _head(entry: Entry, count: int) -> bytes:
    """The first bytes of a member; none where it is damaged, which reading an image says."""
    try:
        return entry.head(count)
    except UNREADABLE:
        return b""


def _text(entry: Entry, member: Member) -> str:
    """The whole of a member as text."""
    if member.size > _LARGEST_LIST:
        raise ValueError(f"{member.name} has more than {_LARGEST_LIST // MIB} MiB")
    return entry.head(_LARGEST_LIST).decode()
