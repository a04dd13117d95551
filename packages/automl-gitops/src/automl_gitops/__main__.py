"""`automl` as a process of its own; `python -m automl_gitops` is the same."""

import signal
import sys
from typing import NoReturn


def program() -> NoReturn:
    """Run the command line. Who interrupts its imports sees no more of them than of a command that is interrupted."""
    try:
        from automl_gitops.commands.main import main
        from automl_gitops.kernel import cli

        status = main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    cli.leave(status)


if __name__ == "__main__":
    program()
