# `make` lists the commands. Python 3.10 to 3.13 and make are all that must be there before.

# Once there is a .venv, its Python is the default: python3 may mean another one by then.
PYTHON ?= $(if $(wildcard .venv/made-*),.venv/bin/python,python3)
PORT ?= 8501

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
# TensorFlow's CUDA libraries take gigabytes: only a machine whose NVIDIA driver answers gets them.
REQUIREMENTS := $(shell nvidia-smi >/dev/null 2>&1 && echo requirements-gpu.txt || echo requirements.txt)

# Each stamp is touched last, so a step that was interrupted is done again. Another Python or
# another requirements file is another stamp.
MADE := .venv/made-$(VERSION)
INSTALLED := .venv/installed-$(REQUIREMENTS)
INSTALLED_DEV := .venv/installed-requirements-dev.txt

# As a module each: a script in .venv/bin breaks when the folder is moved or its path is long.
RUN := .venv/bin/python -m
INSTALL := $(RUN) pip install --disable-pip-version-check

# Looks at scripts and style sheets, as biome.json says.
BIOME := @biomejs/biome@2.6.8

# The same names as in tests/support/browser.py.
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

.PHONY: help run test torture check quick-tests lint pictures clean browser

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

run: $(INSTALLED) ## serve the dashboard at http://127.0.0.1:8501 (PORT=... for another port)
	@.venv/bin/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null || \
	    { echo "Port $(PORT) of 127.0.0.1 is taken or not allowed. Choose another one: make run PORT=..." >&2; exit 1; }
	@$(RUN) streamlit run app.py --server.port $(PORT) --server.headless true

test: $(INSTALLED_DEV) browser ## run all tests, those in a browser too
	$(RUN) pytest -n 2 --dist worksteal

torture: $(INSTALLED_DEV) ## kill, fill, damage and flood it for about half an hour, and write docs/reliability.md
	$(RUN) tests.torture --write docs/reliability.md

check: $(INSTALLED_DEV) ## style, types and all tests that train nothing and start no command, server or browser
	@$(MAKE) --no-print-directory -j 2 lint quick-tests

quick-tests: $(INSTALLED_DEV)
	$(RUN) pytest -n 2 --dist worksteal -m "not process" --ignore tests/browser

lint: $(INSTALLED_DEV) ## check style and types
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) pyright --pythonpath .venv/bin/python
	@if command -v npx >/dev/null; then npx --yes $(BIOME) lint --error-on-warnings; \
	else echo "Node's npx is not there: scripts and style sheets were not checked."; fi

pictures: $(INSTALLED_DEV) browser ## take the README's pictures again from the running dashboard
	$(RUN) tools.take_pictures

clean: ## remove .venv and caches; runs/ stays
	rm -rf .venv .pytest_cache .ruff_cache
	find . -path ./runs -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@case "$(VERSION)" in 3.10|3.11|3.12|3.13) ;; *) \
	    echo "Python 3.10 to 3.13 is needed; $(PYTHON) is $(or $(VERSION),not there). Name another: make run PYTHON=python3.12" >&2; \
	    exit 1;; esac
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@touch $@

$(INSTALLED): $(MADE) requirements.txt requirements-gpu.txt
	$(INSTALL) -r $(REQUIREMENTS)
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt requirements-search.txt requirements-cluster.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

# Debian's Chromium before Playwright's own: it brings the libraries it needs with it.
browser: $(INSTALLED_DEV)
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium && exit 0; \
	fi; \
	$(RUN) playwright install chromium && exit 0; \
	echo "No browser was found: install Chromium or Chrome so that one of these is on PATH: $(BROWSERS)" >&2; exit 1
