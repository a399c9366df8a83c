import os
import threading
from pathlib import Path

import pytest

from genlab.io.files import csv_text, open_plain, write_atomically


def test_two_writers_of_a_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    both = threading.Barrier(2)

    def write(content: bytes) -> None:
        def slowly(file) -> None:
            both.wait(10)
            file.write(content)
            both.wait(10)

        write_atomically(path, slowly, durable=False)

    writers = [threading.Thread(target=write, args=(bytes([i]) * 1000,)) for i in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() in {bytes([i]) * 1000 for i in range(2)}
    assert list(tmp_path.iterdir()) == [path]


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    rows = [["=1+1", "+A1", "-x", "@a", "\t=1", "plain"], ["-1.5", "+2", "-inf", -3, None, "1e-5"]]
    assert csv_text(rows) == "'=1+1,'+A1,'-x,'@a,'\t=1,plain\n-1.5,+2,-inf,-3,,1e-5\n"


def test_what_is_written_in_place_is_no_link_and_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=name):
            open_plain(tmp_path / name, "w")
    assert not (tmp_path / "elsewhere").exists()
