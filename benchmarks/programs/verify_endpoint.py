"""verify_endpoint.py ENDPOINT BODY: seconds in which `automl verify` asks an endpoint all that it does by default.

The rows' predictions that it compares are the endpoint's own. What a command does beside that, its imports and some
ten calls of AWS, is the same for a table of any width.
"""

import json
import sys
import time
from pathlib import Path

import boto3

from automl_gitops.kernel.settings.endpoints import Verification
from automl_gitops.verification.checks import Subject
from automl_gitops.verification.client import Client
from automl_gitops.verification.holdout import HoldoutSample
from automl_gitops.verification.payload import batches, parse_csv
from automl_gitops.verification.verify import examine


def main(name: str, file: Path) -> None:
    """Ask once for what is expected, then measure."""
    limits = Verification(max_latency_p50_ms=60_000, max_latency_p95_ms=60_000)
    rows = [line.split(",") for line in file.read_text().splitlines()][: limits.rows]
    client = Client(boto3.client("sagemaker-runtime"), name)
    answers = [client.predict(body).body for body in batches(rows)]
    keys = ["predicted_label"]
    expected = [one for text in answers for one in parse_csv(text, keys)]
    begun = time.perf_counter()
    examined = examine(Subject(client, HoldoutSample(rows, expected), keys, frozenset(("yes", "no"))), limits)
    seconds = time.perf_counter() - begun
    wrong = [check for check in examined.checks if check.outcome == "failed"]
    if wrong:
        raise RuntimeError(str(wrong))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
