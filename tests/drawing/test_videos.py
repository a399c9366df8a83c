import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from genlab.drawing.videos import write_mp4
from genlab.errors import ResourceError


def frames(size: tuple[int, int]) -> list[Image.Image]:
    return [Image.new("RGB", size, (40 * i, 0, 0)) for i in range(6)]


def test_videos_play_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    write_mp4(frames((33, 21)), path, frames_per_second=5)
    about = subprocess.run([get_ffmpeg_exe(), "-i", path], capture_output=True, text=True).stderr
    for words in ("h264", "yuv420p", "34x22", "5 fps"):
        assert words in about
    command = [get_ffmpeg_exe(), "-loglevel", "error", "-i", path, "-f", "rawvideo"]
    command += ["-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    shown = np.frombuffer(raw, np.uint8).reshape(6, 22, 34, 3)
    assert np.allclose(shown[:, 0, 0, 0], [40 * i for i in range(6)], atol=12)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    with pytest.raises(ResourceError, match=r"exit code 1.*use format=gif"):
        write_mp4(frames((8, 8)), tmp_path / "v.mp4", frames_per_second=5)
    assert list(tmp_path.iterdir()) == []
