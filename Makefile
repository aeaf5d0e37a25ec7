# Each target installs what it needs; only Python 3.11 or newer, make and a network are required.
PYTHON ?= python3
TORCH ?= cpu
TORCH_INDEX := https://download.pytorch.org/whl/cpu
BIN := .venv/bin
STAMP := .venv/stamp-$(TORCH)
NPM := build/npm
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# LANG=de is read from the command line only, not from the environment, and not exported: it is no valid locale.
LESSONS := notebooks
ifeq ($(origin LANG) $(LANG),command line de)
LESSONS := build/de
unexport LANG
endif
ifeq ($(filter cpu default,$(TORCH)),)
$(error TORCH: need cpu or default, got $(TORCH))
endif
.DEFAULT_GOAL := help
.PHONY: help lab test test-all check site glossary slides handout solutions models wasm bench mutants lock lowest chromium

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  TORCH=default takes your platform's standard torch (on Linux: CUDA, several GB) instead of the CPU build"

lab: $(STAMP)  ## set up and open lesson 00 in JupyterLab; with LANG=de lesson 05 is in German
	@[ $(LESSONS) = notebooks ] || $(BIN)/python docs/editions.py german $(LESSONS)
	@$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 $(ROOT) $(LESSONS)/00_start_here.ipynb

test: check chromium  ## set up and run the checks and all but the slow tests (five minutes)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"

test-all: test $(NPM) .venv/nbgrader  ## the slow tests as well: every lesson in JupyterLab, site, slides, faults, leaks
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m slow

check: $(STAMP)  ## style and types
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy

site: $(STAMP) $(NPM)  ## all lessons with their results, the guide and the reference as web pages: build/site/index.html
	@$(BIN)/python docs/website.py build/site $(NPM)

glossary: $(STAMP)  ## write the glossary from the lessons again, after changes to them: notebooks/glossary.md
	@$(BIN)/python docs/glossary.py

slides: $(STAMP) $(NPM)  ## a folder of slides for each lesson, which can be opened from a USB stick: build/slides
	@$(BIN)/python docs/slides.py build/slides $(NPM)

handout: $(STAMP)  ## the lessons without solutions, and a course for nbgrader to grade them: build/handout
	@$(BIN)/python docs/editions.py handout build/handout

solutions: $(STAMP)  ## the lessons with each exercise solved: build/solutions
	@$(BIN)/python docs/editions.py solutions build/solutions

models: $(STAMP)  ## train all shipped models and lesson 07's sweep again, and draw the README's figure (hours)
	@$(BIN)/python -m recipes.models
	@$(BIN)/python -m recipes.sweep

wasm: $(NPM)  ## translate the pages' matrix product again, after changes to product.wat: vaehelpers/web/product.wasm
	@$(NPM)/node_modules/.bin/wat2wasm vaehelpers/web/product.wat -o vaehelpers/web/product.wasm

bench: $(STAMP) $(NPM) chromium  ## speed and memory against peers: writes tests/benchmarks/RESULTS.md (twenty minutes)
	@$(BIN)/python -W ignore tests/benchmarks/bench.py

mutants: $(STAMP) .venv/mutants  ## mutation tests: list small changes of the mathematics that no test detects (half an hour)
	@rm -rf build/mutants && mkdir -p build/mutants
	@cp -r vaehelpers tests notebooks docs pyproject.toml build/mutants && cp tests/mutants.cfg build/mutants/setup.cfg
	@cd build/mutants && $(MUTMUT) run > run.log && $(MUTMUT) results | sed -n 's/^ *\(.*\): survived$$/\1/p' > survived
	@cd build/mutants/mutants && xargs -P 2 -I {} sh -c '$(BAD_INPUT) > /dev/null || exit 0; echo {}' < ../survived > ../survived-too
	@cd build/mutants && wc -l survived survived-too && cat survived-too

MUTATED := OMP_NUM_THREADS=1 PYTHONPATH="$(CURDIR)/.venv/mutants"
MUTMUT := $(MUTATED) "$(CURDIR)/$(BIN)/python" -m mutmut
# Bad-input cases run only for the mutants that survive their module's tests; for all mutants they would take hours.
BAD_INPUT := $(MUTATED) MUTANT_UNDER_TEST={} "$(CURDIR)/$(BIN)/python" -m pytest -x -q -p no:randomly --hypothesis-profile=ci \
	tests/test_bad_input.py -k "$$(echo {} | cut -d. -f2) or any_array"

.venv/mutants: $(STAMP)
	@$(BIN)/python -m pip install -qq --no-deps --target $@ mutmut==3.8.1 libcst==1.9.0 setproctitle==1.3.8

# In a separate folder, since its buttons would appear in every learner's JupyterLab.
.venv/nbgrader: $(STAMP)
	@$(BIN)/python -m pip install -qq --no-deps --target $@ nbgrader==0.9.6 alembic==1.20.1 Mako==1.4.3 RapidFuzz==3.14.6

lock:  ## write requirements.lock with the newest compatible versions (torch stays; raise its line by hand)
	@rm -rf build/lock && "$(PYTHON)" -m venv build/lock
	@$(MAKE) -s BIN=build/lock/bin torch-$(TORCH)
	@build/lock/bin/python -m pip install -qq --upgrade pip  # dependency groups need pip 25.1
	@build/lock/bin/python -m pip install -qq -e . --group dev
	@build/lock/bin/python -m pip freeze --all --exclude pip --exclude-editable > build/lock/pins
	@sed 's/+cpu$$//' build/lock/pins | LC_ALL=C sort -f > build/lock/new && mv build/lock/new requirements.lock

lowest: build/lowest/stamp  ## the quick tests on the lowest versions that pyproject.toml allows (on Linux 6 GB, for CUDA)
	@build/lowest/bin/python -m pytest -q -W default -n 2 --dist loadfile -m "not browser and not slow" $(TESTS_OF_LOCK)

TESTS_OF_LOCK := --ignore tests/test_house.py --ignore tests/test_security.py
# Pins the package's lower bounds; other packages are the newest compatible ones, whose warnings are no errors here.
build/lowest/stamp: pyproject.toml
	@rm -rf build/lowest && "$(PYTHON)" -m venv build/lowest
	@sed -n 's/^    "\([a-z-]*\)>=\([0-9.]*\)".*/\1==\2/p' pyproject.toml > build/lowest/bounds
	@build/lowest/bin/python -m pip install -qq --upgrade pip
	@build/lowest/bin/python -m pip install -qq -r build/lowest/bounds -e . --group test
	@touch $@

$(STAMP): requirements.lock pyproject.toml jupyter/overrides.json
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (once, a few minutes) ..."
	@rm -rf .venv
	@"$(PYTHON)" -m venv .venv
	@$(MAKE) -s torch-$(TORCH)
	@$(BIN)/python -m pip install -qq -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps -e .
	@mkdir -p .venv/share/jupyter/lab/settings && cp jupyter/overrides.json .venv/share/jupyter/lab/settings/
	@touch $@

# On Linux the standard torch wheel brings gigabytes of CUDA; the CPU build carries the suffix +cpu.
.PHONY: torch-cpu torch-default
torch-cpu:
	@torch=$$(grep '^torch==' requirements.lock); \
	if [ "$$(uname -s)" != Linux ]; then $(BIN)/python -m pip install -qq "$$torch"; \
	else $(BIN)/python -m pip install -qq "$$torch+cpu" 2>/dev/null \
		|| $(BIN)/python -m pip install -qq --extra-index-url $(TORCH_INDEX) "$$torch+cpu"; fi
torch-default:
	@$(BIN)/python -m pip install -qq "$$(grep '^torch==' requirements.lock)"

# MathJax and reveal.js, which are copied into the site and the slides, and wabt for `make wasm`.
$(NPM): docs/package.json docs/package-lock.json
	@command -v npm >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& echo "Installing the system package npm as root, by apt-get ..." && apt-get -qq update \
		&& DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends npm >/dev/null; } \
		|| { echo "Node.js' npm is needed for the site, the slides and WebAssembly: install it with your package manager"; exit 1; }
	@mkdir -p $@ && cp docs/package.json docs/package-lock.json $@
	@npm ci --prefix $@ --loglevel=error --no-audit --no-fund >/dev/null
	@touch $@

chromium:
ifeq ($(CHROMIUM),)
	@if [ -d "/Applications/Google Chrome.app" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing the system package chromium as root, by apt-get, for the browser tests ..."; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; \
	else echo "The browser tests need Chromium: install it with your package manager, then run make again"; exit 1; fi
endif
