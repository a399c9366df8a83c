"""docs/architecture.svg: the layers of the package, from the import contract in pyproject.toml.

python scripts/site/architecture.py     writes it anew
"""

import ast
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "architecture.svg"
_WIDTH, _HEIGHT, _GAP, _LEFT = 900, 46, 10, 40
_COLOURS = ("#3f51b5", "#5c6bc0", "#7986cb", "#26a69a", "#8d6e63")


def layers() -> list[list[str]]:
    """The packages and modules of genlab by layer, those that may import all others first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (found,) = (each for each in contracts["contracts"] if each["type"] == "layers")
    return [[name.strip() for name in layer.split(":")] for layer in found["layers"]]


def summary(name: str) -> str:
    """The first sentence of a package's or module's docstring."""
    place = ROOT / "genlab" / name
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return (
        (ast.get_docstring(ast.parse(file.read_text())) or "")
        .split("\n")[0]
        .rstrip(".")
        .replace("`", "")
    )


def drawing() -> str:
    """The picture as SVG: a row for each layer; imports go downwards only."""
    rows, top = [], 10
    for number, layer in enumerate(layers()):
        rows += _row(layer, top, _COLOURS[min(number // 4, len(_COLOURS) - 1)])
        top += _HEIGHT + _GAP
    arrow = f'<path d="M18 14 V{top - 22} m-6 -8 l6 10 l6 -10" class="arrow"/>'
    style = (
        "text{font-family:system-ui,sans-serif;fill:#fff}.name{font-size:15px;font-weight:600}"
        ".about{font-size:13px}.arrow{stroke:#888;stroke-width:2;fill:none}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">',
            "<title>The layers of genlab; each imports only from those below it</title>",
            f"<style>{style}</style>",
            f'<rect width="{_WIDTH}" height="{top}" rx="8" fill="#fff"/>',
            arrow,
            *rows,
            "</svg>\n",
        ]
    )


def _row(layer: list[str], top: int, colour: str) -> list[str]:
    width = (_WIDTH - _LEFT - 10 - _GAP * (len(layer) - 1)) / len(layer)
    lines = []
    for place, name in enumerate(layer):
        left = _LEFT + place * (width + _GAP)
        lines.append(
            f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{_HEIGHT}" rx="6" '
            f'fill="{colour}"><title>{escape(summary(name))}</title></rect>'
        )
        alone = len(layer) == 1
        middle = top + _HEIGHT / 2 + 5
        lines.append(f'<text x="{left + 14:.0f}" y="{middle:.0f}" class="name">{name}</text>')
        if alone:
            lines.append(
                f'<text x="{left + 130:.0f}" y="{middle - 1:.0f}" class="about">'
                f"{escape(summary(name))}</text>"
            )
    return lines


if __name__ == "__main__":
    FILE.write_text(drawing())
