import threading
from pathlib import Path

from genlab.files import write_atomically


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
