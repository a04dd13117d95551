"""`make demo`: a project generated for a table, or for the example, and its whole life on the local AWS."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project}}"
RESULTS = Path("build/demo")
