"""The notebooks run as they stand, and print what they printed when they were saved."""

import importlib.util
import re
from copy import deepcopy
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
PICTURES = {"first_look.ipynb": 1, "maps.ipynb": 7}
PACKAGES = ("nbformat", "nbclient", "ipykernel")

pytestmark = [
    pytest.mark.skipif(not NOTEBOOKS.is_dir(), reason="the notebooks are not part of the installed package"),
    # what the kernel's own packages warn of is not ours to mend
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module", params=PICTURES)
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
        client = NotebookClient(copy, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
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


def test_code_cells_print_what_was_saved(saved, executed):
    before = printed(saved)
    assert [bool(re.search(r"\d", text)) for text in before].count(True) >= 4
    assert printed(executed) == before


def test_maps_are_drawn(notebook, saved, executed):
    assert pictures(executed) == pictures(saved) == [True] * PICTURES[notebook.name]


def test_saved_notebook_is_short_executed_in_order_and_without_errors(saved):
    code = [cell for cell in saved.cells if cell.cell_type == "code"]
    assert 10 <= len(saved.cells) <= 17
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {output.output_type for cell in code for output in cell.outputs} <= {"stream", "display_data"}
    assert [output.name for cell in code for output in cell.outputs if output.output_type == "stream"].count(
        "stderr"
    ) == 0


def test_saved_notebook_holds_no_path_of_a_machine(notebook):
    text = re.sub(r'"image/png": "[^"]*"', "", notebook.read_text(encoding="utf-8"))
    assert re.findall(r"(?<![\w.:/])(?:/[\w.-]+){2,}|\b[A-Z]:\\\\[\w.-]+", text) == []


def test_saved_notebook_says_that_the_sample_is_fictional(saved):
    assert "fictional" in (saved.cells[0].source + printed(saved)[0]).lower()
