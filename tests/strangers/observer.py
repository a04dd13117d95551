"""`make demo RUN="python observer.py FOLDER"`: the demo as it is, whose S3 is copied to FOLDER before it ends.

The local AWS of a demo ends with it, and with it the predictions that its metrics were computed from.
"""

import runpy
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
    """Run `python -m MODULE ...` of the project in the working directory, with an eye on its AWS."""
    folder, flag, module, *arguments = sys.argv[1:]
    assert flag == "-m", flag
    sys.path[0] = str(Path.cwd())
    from local_sagemaker.server import LocalAWS

    stop = LocalAWS.stop

    def stop_when_saved(aws: LocalAWS) -> None:
        save(aws.client("s3"), Path(folder))
        stop(aws)

    LocalAWS.stop = stop_when_saved  # type: ignore[method-assign]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
