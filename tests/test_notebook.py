"""The notebooks run on the sample from top to bottom; what they print is shown on the site, not in the repository."""

import importlib.util
import re
from copy import deepcopy
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
PICTURES = {
    "designation.ipynb": 3,
    "first_look.ipynb": 1,
    "from_2015_to_2024.ipynb": 1,
    "maps.ipynb": 7,
    "programmes_and_exposure.ipynb": 2,
}
SECONDS = 30
PACKAGES = ("nbformat", "nbclient", "ipykernel")

pytestmark = [
    pytest.mark.skipif(not NOTEBOOKS.is_dir(), reason="the notebooks are not part of the installed package"),
    # what the kernel's own packages warn of is not ours to mend
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module", params=NAMES)
def notebook(request):
    return NOTEBOOKS / request.param


@pytest.fixture(scope="module")
def saved(notebook):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    return nbformat.read(notebook, as_version=4)


@pytest.fixture(scope="module")
def executed(saved, tmp_path_factory):
    """The notebook run in a folder of its own, by a kernel that keeps its files there."""
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed: no kernel to run the notebook with")
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

    if "python3" not in KernelSpecManager().find_kernel_specs():
        pytest.skip("no python3 kernel is installed")
    folder = tmp_path_factory.mktemp("notebook")
    copy = deepcopy(saved)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "QPVGEO_CACHE"):
            patch.setenv(name, str(folder / name))
        for name in ("MPLBACKEND", "QPVGEO_DATA"):
            patch.delenv(name, raising=False)
        client = NotebookClient(
            copy, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )
        return client.execute()


def printed(notebook):
    """Text that each code cell printed, in order; how it came in pieces does not matter."""
    return [
        "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def pictures(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["image/png" in output.get("data", {}) for cell in code for output in cell.outputs if "data" in output]


def test_cells_run_and_print_figures(executed):
    assert [bool(re.search(r"\d", text)) for text in printed(executed)].count(True) >= 4
    told = {output.get("name") for cell in executed.cells for output in cell.get("outputs", [])}
    assert "stderr" not in told


def test_maps_are_drawn(notebook, executed):
    if notebook.name in PICTURES:
        assert pictures(executed).count(True) == PICTURES[notebook.name]


def test_outputs_are_cleared_in_the_repository(saved):
    code = [cell for cell in saved.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code if cell.outputs] == []
    assert {cell.execution_count for cell in code} == {None}


def test_a_notebook_reads_from_top_to_bottom(saved):
    kinds = [cell.cell_type for cell in saved.cells]
    assert kinds[0] == "markdown"
    assert saved.cells[0].source.startswith("# ")
    assert 8 <= len(saved.cells) <= 24
    assert kinds.count("markdown") >= kinds.count("code") - 2


def test_saved_notebook_holds_no_path_of_a_machine(notebook):
    text = notebook.read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.:/])(?:/[\w.-]+){2,}|\b[A-Z]:\\\\[\w.-]+", text) == []


def test_notebooks_on_the_sample_say_that_it_is_fictional(saved):
    code = "".join(cell.source for cell in saved.cells if cell.cell_type == "code")
    if "qg.sample()" in code:
        assert "fictional" in (saved.cells[0].source + code).lower()
