"""What `automl data refer` does to see that no group is in two parts: read the objects as a stream, up to its bound of
bytes, and keep their groups. Prints the bytes read and by how much the peak of memory grew as JSON.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from automl_gitops.data.listing import Listing, S3Object
from automl_gitops.data.rules import Keys
from automl_gitops.data.rules.overlap import Overlap
from automl_gitops.data.table import Table
from automl_gitops.kernel.settings.dataset import DatasetSettings


class Disk:
    """S3's one call, of files: what it takes is the disk's."""

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - as boto3 names it
        """The object as a stream."""
        return {"Body": Path(Key).open("rb")}


def peak() -> int:
    """Of the process's memory so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(path: Path, holdout: Path) -> None:
    """Validation rows and rows to train on are the same file's: their groups are told apart by another seed."""
    dataset = DatasetSettings(target="label", group=["patient"])
    keys = Keys(dataset.model_copy(update={"seed": dataset.seed + 1}), holdout.name)
    for batch in Table.open(holdout).batches(["patient"]):
        keys.see(batch)
    before = peak()
    overlap = Overlap(Disk(), dataset, Table.open(path).columns, keys)
    objects = (S3Object(str(path), path.stat().st_size, ""),)
    # Groups are kept of all listings but the last one.
    overlap.check([Listing("s3://bench/validation/", objects), Listing("s3://bench/train/", ())])
    print(json.dumps({"read": overlap.read, "peak_bytes": peak() - before}))


if __name__ == "__main__":
    main(*(Path(name).resolve() for name in sys.argv[1:3]))
