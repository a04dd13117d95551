"""The Lambda functions' zips: one for each file of lambdas/, the same bytes for the same code, in S3 under their
content's hash.
"""

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.errors import UserError

FOLDER = Path("lambdas")
SUFFIX = "Code"  # of the stack's parameters that take a function's code
# The oldest time that a zip can hold; the file's own would make another archive of the same code on each
# checkout.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16  # regular file, rw-r--r--: Lambda runs code as a user who does not own it


@dataclass(frozen=True)
class LambdaCode:
    """One function's zip; ``name`` is the file's with hyphens, as in the function's own name."""

    name: str
    content: bytes

    @property
    def parameter(self) -> str:
        """The stack's parameter that takes the key, e.g. StartAutopilotCode."""
        return "".join(word.capitalize() for word in self.name.split("-")) + SUFFIX

    @property
    def key(self) -> str:
        """Where the zip lies in the project's bucket."""
        return f"code/lambdas/{self.name}-{hashlib.sha256(self.content).hexdigest()[:32]}.zip"


def build(template: str, folder: Path = FOLDER) -> list[LambdaCode]:
    """The zips of all functions, each of which has a parameter for its code in the stack's ``template``.

    A file without a parameter, a parameter without its file, or a file that is no Python is a `UserError`.
    """
    paths = sorted(path for path in folder.glob("*.py") if path.stem != "__init__")
    codes = [LambdaCode(path.stem.replace("_", "-"), _zip(path)) for path in paths]
    declared = set(re.findall(rf"^  ([A-Z]\w*{SUFFIX}):\s*$", template, re.MULTILINE))
    for path, code in zip(paths, codes, strict=True):
        if code.parameter not in declared:
            raise UserError(
                f"{path}: infrastructure/stack.yaml has no parameter {code.parameter} for the function's code; "
                "docs/change.md shows what a function needs there"
            )
    for missing in sorted(declared - {code.parameter for code in codes}):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", missing.removesuffix(SUFFIX)).lower()
        raise UserError(f"{folder / name}.py: not found, but infrastructure/stack.yaml has its {missing}")
    return codes


def _zip(path: Path) -> bytes:
    try:
        source = path.read_bytes()
        compile(source, path.name, "exec")
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
