"""The command ``local-sagemaker``: ``up`` serves AWS on this machine, ``spoil`` breaks a model's archive."""

from __future__ import annotations

import argparse
import contextlib
import gc
import re
import shlex
import signal
import sys
import threading
from pathlib import Path

from local_sagemaker import __version__

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "eu-west-1"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _up(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    from local_sagemaker.server import LocalAWS  # imports moto: --help should not wait for it

    first, *others = options.account or [DEFAULT_ACCOUNT]
    aws = LocalAWS(options.directory, options.port, first, options.region, lenient=options.lenient)
    try:
        aws.start()
    except (OSError, ValueError) as error:
        print(_told(error, options), file=sys.stderr)
        return 2
    try:
        for account in others:
            aws.administrator(account)
        gc.freeze()  # what is there by now is there to stay: no request has to look through it for garbage
        _announce(aws.environment, options.ready_file)
        print(f"# AWS answers on {aws.url} (log: {aws.directory}/local-aws.log); Ctrl-C ends it", flush=True)
        stop.wait()
    except OSError as error:
        print(f"--ready-file {options.ready_file}: {error.strerror}; name another", file=sys.stderr)
        return 2
    finally:
        aws.stop()
        if options.ready_file:
            with contextlib.suppress(OSError):  # it was never written
                options.ready_file.unlink()
    return 0


def _spoil(options: argparse.Namespace) -> int:
    from local_sagemaker.serving.archive import spoil

    try:
        spoil(options.archive)
    except (OSError, ValueError) as error:
        reason = f"{options.archive}: {error.strerror}" if isinstance(error, OSError) else error
        print(reason, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-sagemaker",
        description="AWS on this machine, for this machine alone.",
        epilog="example: local-sagemaker up --port 4566 --directory build/local",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser(
        "up", help="serve until interrupted; prints the environment variables for other shells"
    )
    up.set_defaults(run=_up)
    up.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1 (default: a free one)")
    up.add_argument(
        "--directory", type=Path, help="keep the log and the jobs' files here (default: a temporary one)"
    )
    up.add_argument(
        "--ready-file", type=Path, help="written, with the same lines, once requests are answered"
    )
    up.add_argument(
        "--account",
        action="append",
        type=_account,
        help=f"12-digit account id (default: {DEFAULT_ACCOUNT}); give it again for a further account, in "
        "which the first one's administrator may assume OrganizationAccountAccessRole",
    )
    up.add_argument(
        "--region", type=_region, default=DEFAULT_REGION, help="default region (default: %(default)s)"
    )
    up.add_argument(
        "--lenient",
        action="store_true",
        help="train on fewer rows than the 500 that the real Autopilot takes (20 or more)",
    )
    spoil = commands.add_parser(
        "spoil", help="rewrite a model.tar.gz so that its model loads, and fails at every request"
    )
    spoil.set_defaults(run=_spoil)
    spoil.add_argument("archive", type=Path, metavar="ARCHIVE", help="of a model that this local AWS trained")
    return parser


def _told(error: OSError | ValueError, options: argparse.Namespace) -> str:
    """Why there is no local AWS, and the way out."""
    if isinstance(error, ValueError):
        return str(error)
    if error.filename:
        return f"--directory {options.directory}: {error.strerror}; name a folder that can be written to"
    return f"--port {options.port}: {error.strerror}; choose another, or 0 for a free one"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port: a number from 0 to 65535")
    return int(text)


def _account(text: str) -> str:
    if not re.fullmatch(r"\d{12}", text):
        raise argparse.ArgumentTypeError(f"{text} is no account id: it has 12 digits")
    return text


def _region(text: str) -> str:
    if text == DEFAULT_REGION:  # the list of all is the longest that botocore reads
        return text
    import boto3

    if text not in boto3.Session().get_available_regions("sagemaker"):
        raise argparse.ArgumentTypeError(f"{text} is no region with SageMaker, such as eu-west-1")
    return text


def _announce(environment: dict[str, str], ready_file: Path | None) -> None:
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    print(lines, end="", flush=True)
    if ready_file:
        ready_file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = ready_file.with_name(ready_file.name + ".tmp")
        unfinished.touch(mode=0o600)
        unfinished.write_text(lines, encoding="utf-8")
        unfinished.replace(ready_file)


if __name__ == "__main__":
    sys.exit(main())
