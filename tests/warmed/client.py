# What stands for `automl` and `python` in `Warmed.prefix`: hands a command over, and ends as it ends.
import os
import sys


def main() -> None:
    """Hand over, or be the program that this stands for."""
    called, *arguments = sys.argv
    name, path = os.path.basename(called), os.path.abspath(called)  # noqa: PTH100, PTH119 - without pathlib it is faster
    if name != "automl" and arguments[:1] != [GIVEN["script"]]:  # noqa: F821 - `Warmed.prefix` writes it
        if arguments[:2] != ["-m", "automl_gitops"]:
            be(name, path, arguments)
        arguments = arguments[2:]
    # Elsewhere may be other code than that which was imported.
    known = os.environ.get("PYTHONPATH", "") == GIVEN["packages"]  # noqa: F821
    status = hand_over(path, arguments) if known else None
    if status is None:
        be(name, path, sys.argv[1:])
    elif status < 0:
        die(-status)
    os._exit(status & 255)


def die(number: int) -> None:
    """End by a signal, as the command did."""
    import signal

    if number != signal.SIGKILL:  # which nobody can catch
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def be(name: str, path: str, arguments: "list[str]") -> None:
    """Become the real program, which takes itself for the one of this folder, as by a symbolic link."""
    real = os.path.join(GIVEN["bin"], name)  # noqa: F821, PTH118
    os.execv(real, [path if name != "automl" else real, *arguments])


def hand_over(path: str, arguments: "list[str]") -> "int | None":
    """The command's exit status; negative where a signal ended it, `None` where it is to start on its own."""
    import json
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(GIVEN["address"])  # noqa: F821
        order = {
            "stage": GIVEN["stage"],  # noqa: F821
            "script": GIVEN["script"],  # noqa: F821
            "path": path,
            "arguments": arguments,
            "folder": os.getcwd(),  # noqa: PTH109
            "variables": dict(os.environ),
        }
        socket.send_fds(connection, [b"\0"], [0, 1, 2])
        connection.sendall(json.dumps(order).encode() + b"\n")
        answer = connection.makefile().readline()
    return json.loads(answer) if answer else 70


main()
