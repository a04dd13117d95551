"""`python -m automl_gitops.commands.definitions FOLDER ...`: what `automl definition` says of each folder.

The SDK is imported once, which takes most of the time, before the account comes on standard input. Each folder has a
fork of its own, in which its modules are the only ones of a project. Printed is a list of exit status, standard output
and standard error.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from automl_gitops.commands.main import main
from automl_gitops.runs import definition


def definitions(*folders: str) -> None:
    """Print them."""
    with definition.alone("us-east-1"):
        pass  # the SDK is imported
    account = sys.stdin.readline().strip()
    with tempfile.TemporaryDirectory() as written:
        texts = [
            [Path(written, f"{number}{end}") for end in ("out", "err")] for number in range(len(folders))
        ]
        forks = [_fork(account, *one) for one in zip(folders, texts, strict=True)]
        ended = [os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) for fork in forks]
        if min(ended) < 0:  # killed by a signal
            raise SystemExit(1)
        print(
            json.dumps(
                [[status, *map(Path.read_text, said)] for status, said in zip(ended, texts, strict=True)]
            )
        )


def _fork(account: str, folder: str, texts: list[Path]) -> int:
    fork = os.fork()
    if fork:
        return fork
    status = 1
    try:
        os.chdir(folder)
        for text, stream in zip(texts, (sys.stdout, sys.stderr), strict=True):
            os.dup2(os.open(text, os.O_WRONLY | os.O_CREAT), stream.fileno())
        status = main(["definition", "--account", account])
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    definitions(*sys.argv[1:])
