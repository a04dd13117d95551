"""`make demo`: a project generated for a table, or for the example, and its whole life on the local AWS."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project}}"
RESULTS = Path("build/demo")

# The generated project's modules work from here as well: none of them is rendered.
sys.path.insert(0, str(TEMPLATE))
