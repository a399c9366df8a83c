# Every target sets up what it needs on a machine that has Python 3.11, 3.12 or 3.13 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: train test docs notebook clean

train: $(VENV)/installed
	$(BIN)/genlab train experiment=faces

test: $(VENV)/installed-dev
	$(BIN)/pytest

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html; with its search: $(BIN)/python -m http.server --directory site"

notebook: $(VENV)/installed-docs
	folder=$$(mktemp -d) && $(BIN)/python scripts/site/notebooks.py "$$folder"; code=$$?; rm -rf "$$folder"; exit $$code

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "genlab needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/pip install --quiet --editable ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) site
