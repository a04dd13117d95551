"""The Lambda functions' zips: one file each, the same bytes for the same code, in S3 under their content's
hash.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import LAMBDAS

FOLDER = Path("lambdas")
# The oldest time that a zip can hold; the file's own would make another archive of the same code on each
# checkout.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16  # regular file, rw-r--r--: Lambda runs code as a user who does not own it


@dataclass(frozen=True)
class LambdaCode:
    """One function's zip; ``name`` is one of `automl_gitops.kernel.names.LAMBDAS`."""

    name: str
    content: bytes

    @property
    def key(self) -> str:
        """Where the zip lies in the project's bucket."""
        return f"code/lambdas/{self.name}-{hashlib.sha256(self.content).hexdigest()[:32]}.zip"


def build(folder: Path = FOLDER) -> list[LambdaCode]:
    """The zips of all functions; a missing file, or one that is no Python, is a `UserError`."""
    return [LambdaCode(name, _zip(folder / f"{name.replace('-', '_')}.py")) for name in LAMBDAS]


def _zip(path: Path) -> bytes:
    try:
        source = path.read_bytes()
        compile(source, path.name, "exec")
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the command in the project's folder") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f"{path}:{line}" if line else str(path)
        raise UserError(f"{place}: not valid Python: {error}", file=str(path), line=line) from None
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        entry = zipfile.ZipInfo(path.name, _EPOCH)
        entry.external_attr = _READABLE
        entry.compress_type = zipfile.ZIP_DEFLATED
        file.writestr(entry, source, compresslevel=9)
    return archive.getvalue()


def upload(s3: Any, bucket: str, code: LambdaCode) -> bool:
    """Put a zip into the bucket unless it is there; returns whether it was sent."""
    try:
        s3.head_object(Bucket=bucket, Key=code.key)
        return False
    except ClientError as error:
        if not is_missing(error):
            raise
    s3.put_object(Bucket=bucket, Key=code.key, Body=code.content, ContentType="application/zip")
    return True
