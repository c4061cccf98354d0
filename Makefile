# Two commands matter: `make demo` and `make test`. Both make their own environment in .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-engines browser quick mutations check format bench bench-quick docs sample notebook gallery ledger clean test-oldest fuzz soak

$(VENV)/.base: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "qpvgeo needs Python 3.11 or later; try: make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable '.[dev,maps]'
	touch $@

demo: $(VENV)/.base  ## the main job: first on the embedded sample, then the true headline
	$(BIN)/qpvgeo summary --sample --vintage 2024
	$(BIN)/qpvgeo coverage --sample --vintage 2024 --by commune
	$(BIN)/qpvgeo summary --vintage 2015

test: $(VENV)/.dev  ## every test and every docstring example; eight minutes on two cores
	$(BIN)/python -m pytest -q -n auto --durations=25 --durations-min=1

browser:  ## Chromium for the tests of pages and reports, where the system can install it
	command -v chromium || command -v chromium-browser || command -v google-chrome || \
		(apt-get update -qq && apt-get install -y -qq chromium libpangoft2-1.0-0) || \
		echo "no Chromium: the tests in a browser will be skipped"

test-engines: $(VENV)/.dev  ## Dask and Spark, for real: a cluster of two processes and a local session, on five million rows
	@sh scripts/engines.sh $(BIN)
	QPVGEO_ENGINE_ROWS=$${QPVGEO_ENGINE_ROWS:-5000000} $(BIN)/python -m pytest -q -n 0 -m engines tests/distributed

# the tests of the central modules of each room that draw no picture and run no command
QUICK := \
	codes/test_official.py facts/test_facts.py frames/test_forms.py formats/test_csv_dialect.py \
	formats/test_text_tables.py geometry/test_overlap_table.py geometry/test_point_location.py sources/test_catalog.py \
	sources/test_recognise.py read/test_qpv.py read/test_population.py read/grid/test_reader.py \
	quality/test_perimeters.py at_hand/test_geography_loader.py indicators/test_totals.py indicators/test_by_territory.py \
	indicators/test_qpv_communes.py population/test_estimation.py tagging/test_points_in_qpv.py tagging/test_tolerance.py \
	geographies/test_crosswalk_table.py geographies/communes/test_passage.py fiscal/test_vat_inputs.py \
	designation/test_thresholds.py designation/test_zones.py resilience/test_exposed_people.py \
	policy/test_programmes.py published/test_figures.py published/test_scopes.py reports/test_citations.py \
	service/test_connections.py distributed/test_tag_job.py test_house.py test_errors.py test_settings.py

quick: $(VENV)/.dev  ## two thousand tests of the central modules, of each room; under a minute
	$(BIN)/python -m pytest -q -n auto -m "not slow and not real and not mpl_image_compare" $(addprefix tests/,$(QUICK))

mutations: $(VENV)/.dev  ## change one line of an engine at a time, and see that its tests fail; five minutes
	$(BIN)/python scripts/mutations.py

check: $(VENV)/.dev  ## format, lint, spelling, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python scripts/wording.py
	$(BIN)/codespell src tests scripts docs benchmarks *.md
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n auto

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.base  ## speed and memory beside other tools; half an hour
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/paths.py

bench-quick: $(VENV)/.base  ## the user's own paths in two minutes, before a release; ratios are kept in benchmarks/ratios
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python benchmarks/paths.py --quick --json benchmarks/ratios/$$($(BIN)/python -c 'import qpvgeo; print(qpvgeo.__version__)').json

test-oldest:  ## the tests with the lowest versions that pyproject.toml allows, in an environment of their own
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet 'uv>=0.5'
	$(VENV)-oldest/bin/uv pip install --quiet --python $(VENV)-oldest/bin/python --resolution lowest-direct --compile-bytecode --editable '.[dev,maps]'
	$(VENV)-oldest/bin/python -m pytest -q -n auto -m "not mpl_image_compare and not pictures" $(OLDEST)

fuzz: $(VENV)/.dev  ## twenty thousand damaged files and five thousand misuses, in bounded processes; a night
	$(BIN)/python scripts/fuzz.py misuses 5000
	$(BIN)/python scripts/fuzz.py files 20000

soak: $(VENV)/.dev  ## a thousand cycles in flat memory, two hundred runs killed while they write or fetch; an hour
	$(BIN)/python scripts/flat.py 1000 200
	$(BIN)/python scripts/soak.py 200

docs: $(VENV)/.dev  ## build the site into site/, notebooks run, with warnings as errors
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

sample: $(VENV)/.dev  ## make the embedded sample again, byte for byte
	$(BIN)/python scripts/make_sample.py

notebook: $(VENV)/.dev  ## run the notebooks, on the sample
	$(BIN)/python -m pytest -q tests/test_notebook.py

gallery: $(VENV)/.dev  ## draw the pictures of docs/gallery.md again
	$(BIN)/python scripts/make_gallery.py

ledger: $(VENV)/.dev  ## write docs/ledger.md again; DATA=FOLDER for the part on published files
	$(BIN)/python scripts/make_ledger.py $(if $(DATA),--data $(DATA))

clean:
	rm -rf $(VENV) $(VENV)-oldest .pytest_cache .mypy_cache .ruff_cache build dist
