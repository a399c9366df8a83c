"""What mkdocs does beside Markdown: generated pages, formulas as MathML, notebooks as pages."""

import html
import logging
import re
from typing import Any

import architecture
import notebooks
import reference
from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_log = logging.getLogger("mkdocs.hooks.genlab")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made of settings, config pages and notebooks."""
    if architecture.FILE.read_text() != architecture.drawing():
        _log.warning(f"{architecture.FILE} is not of today: python scripts/site/architecture.py")
    for name, text in reference.pages().items():
        files.append(File.generated(config, name, content=text))
    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            for name, content in notebooks.converted(file.src_uri, file.content_string).items():
                files.append(File.generated(config, name, content=content))
    return files


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Formulas as MathML, which browsers draw without a script."""

    def drawn(match: re.Match[str]) -> str:
        formula = html.unescape(match[2]).strip()
        try:
            return convert(formula, display="block" if match[1] == "div" else "inline")
        except Exception as error:
            raise PluginError(f"{page.file.src_uri}: {formula}: {error!r}") from error

    return _FORMULA.sub(drawn, content)
