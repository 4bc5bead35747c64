# Two commands do everything: `make demo` and `make test`. Both need only Python >= 3.11 and make.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
override DEMO := demo
SIMD_VERSION := 12.1.1.post0
SIMD_FLAGS   ?= $(if $(filter x86_64 amd64,$(shell uname -m)),-mavx2)

SIMD  := .simd

.PHONY: help demo test test-simd lint install simd dist clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/ -/' | sed 's/^/make /'

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

# As pipx runs a program: from an environment of its own, through a link elsewhere, with nothing of the caller's environment.
define TRY
away=$$(mktemp -d) && trap 'rm -rf "$$away"' EXIT && mkdir "$$away/photos" "$$away/bin" \
  && ln -s "$(CURDIR)/.venv-dist/bin/batchcomp" "$$away/bin" && cp examples/photos/*.png "$$away/photos" \
  && cd "$$away" && run() { env -i HOME="$$away" PATH=/usr/bin:/bin "$$away/bin/batchcomp" "$$@"; } \
  && run --version && run compress photos && run report photos.bca && run verify photos.bca --decode \
  && run decode photos.bca --format source && test "$$(ls photos-restored)" = "$$(ls photos)"
endef

dist: $(STAMP) ## Build dist/*.tar.gz and dist/*.whl, and try both in an empty environment, away from the checkout
	@rm -rf dist .venv-dist
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	.venv-dist/bin/pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	.venv-dist/bin/pip check
	@echo "==> Trying the wheel"
	@$(TRY)
	.venv-dist/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/*.tar.gz
	@echo "==> Trying the source distribution"
	@$(TRY)
	@ls -l dist

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## Check style and types, then run the tests on all cores
	@echo "==> Running the tests"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

$(SIMD)/PIL: Makefile
	@echo "==> Building pillow-simd $(SIMD_VERSION) into $(SIMD); it needs cc and the headers of libjpeg and zlib"
	@rm -rf $(SIMD)
	CC="cc $(SIMD_FLAGS)" $(BIN)/pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --no-binary pillow-simd \
	  --target $(SIMD) pillow-simd==$(SIMD_VERSION)
	@touch $@

# Before site-packages on the path, the folder takes the place of Pillow there; all else is shared with $(VENV). The tests
# are those through which PIL is used, but for test_formats, which needs a decoder of every format in one archive.
test-simd: export PYTHONPATH := $(CURDIR)/$(SIMD)
test-simd: $(STAMP) $(SIMD)/PIL ## Run the tests of reading, coding and measuring pictures with pillow-simd in Pillow's place
	$(BIN)/batchcomp doctor | grep 'image library *pillow-simd $(SIMD_VERSION)'
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -rs -p no:cacheprovider tests/images \
	  $(addprefix tests/codec/test_,codec.py codec_full_size.py inner.py jpeg.py payload.py plain_jpeg.py) tests/codec/inner \
	  $(addprefix tests/pipeline/test_,fallback.py flow.py measure.py rate_control.py)

clean: ## Remove the virtual environment and the demo
	rm -rf $(VENV) .venv-simd .venv-dist dist $(SIMD) $(DEMO)
