"""Standard output and error, before anything is said."""

import sys


def prepare_streams() -> None:
    """Have standard output and error show what they cannot encode as `\\u2026`, instead of ending in an error.

    A terminal may know ASCII alone, and a file's name may be no text at all.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
