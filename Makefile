# make search   install and run the main job          make test    install and run all tests
# make check    style, types, layers                  make fast    the quick tests only
# make bench    the benchmarks                        make clean   remove what these made
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: search test fast check bench clean

search: $(VENV)/installed
	$(BIN)/qnas search $(ARGS)

test: $(VENV)/developing
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

fast: $(VENV)/developing
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m "not slow" $(ARGS)

check: $(VENV)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/benching
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.simulation $(ARGS)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.limits
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.objectives
	$(BIN)/python -m benchmarks.early_stopping
	$(BIN)/python -m benchmarks.searchers
	$(BIN)/python -m benchmarks.utilisation
	$(BIN)/python -m benchmarks.workers
	$(BIN)/python -m benchmarks.overhead

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "qnas needs Python 3.11 or newer; choose one with make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/developing: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/installed

$(VENV)/benching: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
