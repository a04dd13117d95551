"""`make demo AUTOML="python observer.py FOLDER"`: the demo as it is, whose S3 is copied to FOLDER before it ends.

The local AWS of a demo ends with it, and with it the predictions that its metrics were computed from.
"""

import sys
from pathlib import Path
from typing import Any

SEEN = ("datasets/", "evaluations/", "transforms/")


def save(s3: Any, folder: Path) -> None:
    """Copy what is stored of data sets, transforms and evaluations to ``folder``, by key."""
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for key in (item["Key"] for item in page.get("Contents", [])):
                if key.startswith(SEEN):
                    path = folder / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(s3.get_object(Bucket=bucket["Name"], Key=key)["Body"].read())


def main() -> None:
    """Run `automl ...` in the working directory, with an eye on the AWS that it starts."""
    from automl_gitops.commands.main import main as automl
    from automl_rehearsal.aws import LocalAws

    stop = LocalAws.stop

    def stop_when_saved(aws: LocalAws) -> None:
        save(aws.client("s3"), Path(folder))
        stop(aws)

    folder, *arguments = sys.argv[1:]
    LocalAws.stop = stop_when_saved  # type: ignore[method-assign]
    sys.argv = ["automl", *arguments]
    automl()


if __name__ == "__main__":
    main()
