"""How the package hangs together: no circle of imports, and every library that it imports is one that it declares."""

from __future__ import annotations

import graphlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("local_sagemaker", include_external_packages=True, cache_dir=None)


def test_no_module_imports_itself_by_way_of_others(graph):
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    assert len([module for module in imports if module.startswith("local_sagemaker.")]) > 100
    graphlib.TopologicalSorter(imports).prepare()


def test_what_is_imported_is_what_is_declared(graph):
    declared = {
        re.split(r"[^\w.-]", requirement)[0].lower()
        for requirement in tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    }
    distributions = packages_distributions()
    imported = {
        name
        for name in graph.modules
        if name.partition(".")[0] not in {"local_sagemaker", *sys.stdlib_module_names}
    }
    imported.discard("pytest")  # which is what loads the plugin

    # Autogluon's distributions share one top-level package, and each has the name of the part that is imported.
    own = {name for name in declared if name.startswith("autogluon.")}
    others = {
        distribution.lower()
        for name in imported - {"autogluon"}
        for distribution in distributions[name.partition(".")[0]]
    }
    assert imported
    assert others == declared - own
    assert own == autogluon_parts()


def autogluon_parts() -> set[str]:
    source = "\n".join(file.read_text() for file in (PYPROJECT.parent / "src").rglob("*.py"))
    return set(re.findall(r"^\s*(?:from|import) (autogluon\.\w+)", source, re.M))


@pytest.mark.parametrize("module", ["sagemaker.autopilot.process", "serving.containers", "serving.worker"])
def test_a_worker_imports_nothing_of_the_server(graph, module):
    assert "moto" not in graph.find_upstream_modules(f"local_sagemaker.{module}")
    assert "pandas" in graph.find_upstream_modules("local_sagemaker.sagemaker.autopilot.process")


@pytest.mark.parametrize("arguments", [["--version"], ["up", "--help"]])
def test_help_does_not_wait_for_what_only_a_server_needs(arguments):
    script = (
        "import sys\nfrom local_sagemaker.__main__ import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print({'moto', 'boto3', 'pandas', 'autogluon'} & set(sys.modules))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout.splitlines()[-1] == "set()"
