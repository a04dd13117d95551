"""`python -m benchmarks [SUBJECT ...]`: measure, print each figure as it comes, write build/bench.json.

What was measured is written whatever fails after it, and a subject that fails keeps no other from being measured.
"""

import argparse
import importlib
import sys
import traceback
from pathlib import Path

from benchmarks import figures

# Modules of this folder with `figures(work) -> Iterator[Figure]`.
SUBJECTS = ("evaluation", "report", "push", "commands", "pipeline", "endpoint")
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run; the exit status is 1 where a bound does not hold or a subject could not be measured to its end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; all if none is named"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    chosen = parser.parse_args()
    unknown = set(chosen.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown subject {sorted(unknown)[0]}: there are {', '.join(SUBJECTS)}")
    found: list[figures.Figure] = []
    failed = []
    for subject in chosen.subjects or SUBJECTS:
        work = ROOT / "build" / "bench" / subject
        work.mkdir(parents=True, exist_ok=True)
        try:
            for figure in importlib.import_module(f"benchmarks.{subject}").figures(work):
                print(figure, flush=True)
                found.append(figure)
                figures.write(chosen.out, found)
        except figures.NotMeasuredError as error:
            failed.append(f"{subject}: {error}")
        except Exception:
            failed.append(f"{subject}:\n{traceback.format_exc()}")
    figures.write(chosen.out, found)
    for reason in failed:
        print(f"error: not measured to the end: {reason}", file=sys.stderr)
    return 0 if not failed and all(figure.holds for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
