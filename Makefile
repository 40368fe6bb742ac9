# Two commands do everything on a fresh machine: `make repro` and `make test`.
PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# A pull request is compared with where it left BASE; IMAGES=origin links pushed pictures in place of local files.
BASE ?= main
IMAGES ?= local
export PATH := $(CURDIR)/.venv/bin:$(PATH)
.PHONY: help repro full test test-faults test-mutants lint format stale pr-report pr-gate clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

repro: .venv/.run ## run the pipeline on the sample data and compare with the committed results
	dvc repro
	python src/compare.py
	@echo "Look at plots/report.html; dvc metrics show; dvc plots show"

full: .venv/.run ## run it on the real data: make full FFPP=/data/FaceForensics++ CELEBDF=/data/Celeb-DF-v2
	python src/full_scale.py --ffpp "$(or $(FFPP),$(error FFPP=folder is missing))" \
		--celebdf "$(or $(CELEBDF),$(error CELEBDF=folder is missing))" $(if $(WEIGHTS),--weights "$(WEIGHTS)") $(SET)

test: .venv/.dev ## run the tests
	python -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile

test-faults: .venv/.dev ## kill, fill the disk and fuzz for longer, about half an hour
	DEEPFAKE_FUZZ=20 python -m pytest -q tests/faults -m "faults or not faults"

test-mutants: .venv/.dev ## put ten known bugs back, one at a time, and see that a test fails
	python tests/run_mutants.py

lint: .venv/.dev ## check style and types
	ruff check .
	ruff format --check .
	mypy

format: .venv/.dev ## put the code into the project's format
	ruff format .
	ruff check --fix .

stale: .venv/.run ## fail if dvc.lock is not that of the committed code, params and data
	python .ci/stale.py

pr-report: .venv/.run ## say in pr-report.md what this branch changes in the results: BASE=main IMAGES=local
	python src/pr_report.py --base $(BASE) --images $(IMAGES)

pr-gate: .venv/.run ## fail if the robust detector's headline declined beyond tolerance: BASE=main
	python src/pr_report.py --base $(BASE) --gate

clean: ## forget unfinished work and what kills left; results stay
	rm -rf .work
	find . -name '.*.tmp' -not -path './.*/*' -prune -exec rm -rf {} +

.venv/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --requirement requirements.txt
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	.venv/bin/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@
