"""What a terminal would obey is shown, and not sent to it."""

import logging
from pathlib import Path

import pytest

from genlab import console
from genlab.words import one_paragraph, printable

HOSTILE = "a\x1b[31mb\x07\x9b\u202ec\udce9"
SHOWN = r"a\x1b[31mb\x07\x9b\u202ec\udce9"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SHOWN),
        ("日本 \u3000é\u00a0\u200d", "日本 \u3000é\u00a0\u200d"),
        ("one\ntwo\r\ttab", r"one\ntwo\r\ttab"),
    ],
)
def test_what_is_obeyed_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_later_lines_do_not_look_like_records() -> None:
    assert one_paragraph("one\n2026 INFO forged\x1b") == "one\n    2026 INFO forged\\x1b"


def test_tables_lines_and_logs_are_safe(capsys, tmp_path: Path) -> None:
    console.console.cache_clear()
    with console.log_to(tmp_path / "log", on_console=True):
        # Without the half of a character, which pytest cannot pass from process to process.
        logging.getLogger("x").warning("of %s", HOSTILE[:-1])
    console.print_table(["name", HOSTILE], [["x", HOSTILE]])
    console.say(HOSTILE)
    printed = capsys.readouterr().out
    console.console.cache_clear()
    written = (tmp_path / "log").read_text()
    assert printed.count(SHOWN) == 3
    assert printed.count(SHOWN[:-6]) == 4
    assert written.count(SHOWN[:-6]) == 1
    assert all(line.isprintable() for line in (printed + written).splitlines())


def test_errors_are_safe(genlab) -> None:
    code, _, err = genlab(HOSTILE[:-1])
    assert code == 2
    assert SHOWN[:-6] in err
    assert "\x1b" not in err
