"""The environment of a process that a test starts."""

from __future__ import annotations

import os


def unsigned_environment() -> dict[str, str]:
    """This process's, without its credentials and endpoints of AWS and without what GitHub gives a workflow."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
