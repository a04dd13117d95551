"""The evaluation's bundle in a folder, as the processing job gets it."""

from pathlib import Path

from automl_gitops.runs.bundle import FOLDER, of_package


def lay_out(where: Path) -> Path:
    """Write the bundle without settings.json below ``where``; the project is the current folder."""
    own = {path.name: path.read_bytes() for path in FOLDER.glob("*.py")}
    for name, content in {**of_package(), **own}.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return where
