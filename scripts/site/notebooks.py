"""Notebooks as pages: text, code and the outputs that are kept in the file. `main` runs them."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
_PNG, _TEXT = "image/png", "text/plain"


def converted(name: str, text: str) -> dict[str, str | bytes]:
    """The files, by name, of the page of a notebook: Markdown, and its images beside it."""
    stem, lines = name.removesuffix(".ipynb"), []
    files: dict[str, str | bytes] = {}
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            lines.append(source)
            continue
        lines.append(f"```python\n{source}\n```")
        for kind, output in _outputs(cell):
            if kind == _PNG:
                image = f"{stem}_{len(files)}.png"
                files[image] = base64.b64decode(output)
                lines.append(f"![What the cell above draws]({Path(image).name})")
            else:
                lines.append(f"```text\n{output.rstrip()}\n```")
    file = Path(name).name
    lines.append(f"*This page is the notebook [{file}]({file}), run by `make notebook`.*")
    files[f"{stem}.md"] = "\n\n".join(lines) + "\n"
    return files


def _outputs(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            yield _TEXT, "".join(output["text"])
        elif kind := next((k for k in (_PNG, _TEXT) if k in output.get("data", {})), ""):
            yield kind, "".join(output["data"][kind])


def executed(file: Path, folder: Path, seconds: int = 300) -> Any:
    """A notebook after all of its cells were run in a folder, each for so many seconds at most."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(file, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=seconds, resources=resources).execute()
    return notebook


def main(folder: str) -> None:
    """Run every notebook in a folder, and keep what it shows."""
    import nbformat

    for file in sorted(FOLDER.glob("*.ipynb")):
        notebook = executed(file, Path(folder))
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # when it ran
            _keep_what_is_short(cell)
        nbformat.write(notebook, file)


def _keep_what_is_short(cell: Any) -> None:
    """Of outputs: results, as one image or as text, and not what trainings print."""
    if cell.cell_type == "code":
        cell.outputs = [each for each in cell.outputs if each.output_type == "execute_result"]
        for output in cell.outputs:
            kept = next(kind for kind in (_PNG, _TEXT) if kind in output.data)
            output.data = {kept: output.data[kept]}


if __name__ == "__main__":
    main(sys.argv[1])
