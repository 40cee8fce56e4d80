# Two commands matter: `make run` opens the dashboard, `make test` checks everything.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

# Where the environment forbids it to keep bytecode, as containers do, each of the many processes
# that the tests start would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test install install-dev chromium format lint types imports tests clean

run: install
	$(BIN)/python -m streamlit run streamlit_app.py

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

# Bytecode is compiled here, once: TensorFlow's first import takes half a minute without it.
$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "FER Lab needs Python 3.11; name it with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --requirement requirements.txt
	-$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	-$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	touch $@

chromium:
	.ci/install-chromium

test: install-dev chromium format lint types imports tests

format:
	$(BIN)/ruff format --check .

lint:
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

imports:
	PYTHONPATH=. $(BIN)/lint-imports

tests:
	$(BIN)/pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage htmlcov
