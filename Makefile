# Two commands do everything: `make demo` and `make test`. Both need only Python >= 3.11 and make.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
override DEMO := demo
SIMD_VERSION := 12.1.1.post0
SIMD_FLAGS   ?= $(if $(filter x86_64 amd64,$(shell uname -m)),-mavx2)

.PHONY: help demo test lint install simd clean

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/ -/' | sed 's/^/make /'

install: $(STAMP) ## Make a virtual environment in .venv and install batchcomp with everything it can use

$(STAMP): pyproject.toml constraints.txt
	@echo "==> Installing batchcomp and its packages into $(VENV) (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "batchcomp needs Python 3.11 or newer; name one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

simd: ## Make an environment in .venv-simd whose images go through pillow-simd (a compiler and headers are needed)
	@echo "==> Building pillow-simd into .venv-simd; it needs cc and the headers of libjpeg and zlib"
	$(PYTHON) -m venv .venv-simd
	.venv-simd/bin/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	.venv-simd/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	.venv-simd/bin/pip uninstall --quiet --yes pillow
	CC="cc $(SIMD_FLAGS)" .venv-simd/bin/pip install --quiet --no-cache-dir --no-deps --no-binary :all: pillow-simd==$(SIMD_VERSION)
	.venv-simd/bin/batchcomp doctor
	@echo "==> Older code than Pillow 13: commands of .venv-simd/bin/batchcomp ask for --trusted-input"

demo: $(STAMP) ## Compress examples/photos, print the report, decode everything into demo/
	@rm -rf $(DEMO) && mkdir $(DEMO)
	@echo "==> Compressing examples/photos into $(DEMO)/photos.bca"
	$(BIN)/batchcomp compress examples/photos -o $(DEMO)/photos.bca
	@echo "==> What it came to"
	$(BIN)/batchcomp report $(DEMO)/photos.bca
	@echo "==> Restoring the pictures into $(DEMO)/restored"
	$(BIN)/batchcomp decode $(DEMO)/photos.bca -o $(DEMO)/restored
	@echo "==> Compare examples/photos with $(DEMO)/restored; any ZIP tool opens $(DEMO)/photos.bca/000001.zip"

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## Check style and types, then run the tests on all cores
	@echo "==> Running the tests"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

clean: ## Remove the virtual environment and the demo
	rm -rf $(VENV) .venv-simd $(DEMO)
