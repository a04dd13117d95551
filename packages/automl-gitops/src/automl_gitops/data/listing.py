"""The objects to train on that stay where they are, in a bucket that is not the project's."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.data.lock import Reference
from automl_gitops.kernel.aws import error_code, is_missing, listed
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError

MOST_BYTES = 100 * 10**9  # of Autopilot's training data (Autopilot quotas, size of input dataset)
MOST_OBJECTS = 10_000  # each one's header is read


@dataclass(frozen=True)
class S3Object:
    """An object as S3 lists it."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class Listing:
    """The objects under ``uri``, which is one object or a prefix that ends in a slash; in S3's order of keys."""

    uri: str
    items: tuple[S3Object, ...]

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return split(self.uri)[0]

    @property
    def reference(self) -> Reference:
        """What dataset.lock says of the objects.

        An ETag changes with the content, whatever the encryption. Version ids are left out: they change, too,
        where the same content is written again, listing them is a right of its own, and Autopilot cannot be
        told to read one.
        """
        document = [split(self.uri)[0], *([one.key, one.size, one.etag] for one in self.items)]
        digest = hashlib.sha256(json.dumps(document).encode())
        size = sum(one.size for one in self.items)
        return Reference(objects=len(self.items), bytes=size, sha256=digest.hexdigest())


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI. Raises `UserError` where it is not one."""
    scheme, _, rest = uri.partition("://")
    bucket, slash, key = rest.partition("/")
    if scheme != "s3" or not bucket or not slash:
        raise UserError(
            f"{uri}: is no S3 URI: write s3://BUCKET/KEY, or s3://BUCKET/PREFIX/ for all below it"
        )
    return bucket, key


def require_named(uri: str, config: Config) -> None:
    """Raise `UserError` where automl.toml does not name the bucket: the pipeline may not read it then."""
    bucket = split(uri)[0]
    if bucket not in config.dataset.buckets:
        raise UserError(
            f'{uri}: automl.toml: [dataset] buckets does not name "{bucket}": add it, and an administrator runs '
            "`make bootstrap` so that the pipeline may read it",
            file="automl.toml",
        )


def look(s3: Any, uri: str) -> Listing:
    """List the objects. Raises `UserError` where there are none, or where Autopilot would read others too."""
    bucket, prefix = split(uri)
    items: list[S3Object] = []
    try:
        for entry in listed(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix):
            if entry["Size"] or not _is_marker(entry["Key"]):
                items.append(S3Object(entry["Key"], entry["Size"], entry["ETag"]))
            if len(items) > MOST_OBJECTS:
                raise UserError(f"{uri}: has more than {MOST_OBJECTS:,} objects: write fewer, larger ones")
    except ClientError as error:
        raise refusal(error, uri) from None
    if not items:
        raise UserError(f"{uri}: no object lies there: correct the address")
    if prefix and not prefix.endswith("/"):
        _require_one(uri, prefix, items)
    return Listing(uri, tuple(items))


def _is_marker(key: str) -> bool:
    """Whether an empty object only says something by its name: a "folder" of the console, or Spark's `_SUCCESS`.

    Those whose names begin with an underscore or a point are hidden to Spark, Hive and Athena, too.
    """
    name = key.rsplit("/", 1)[-1]
    return not name or name.startswith(("_", ".")) or name.endswith("_$folder$")


def _require_one(uri: str, key: str, items: list[S3Object]) -> None:
    """A job's S3 prefix takes whatever begins so: an address without a slash has to fit one object alone."""
    if items[0].key != key:
        raise UserError(f"{uri}: there is no such object: for all objects below it write {uri}/")
    if len(items) > 1:
        raise UserError(
            f"{uri}: {items[1].key} begins with the same name, and Autopilot would read it too: "
            "put the data to train on below a prefix of its own"
        )


def refusal(error: ClientError, uri: str) -> Exception:
    """What S3 answered about somebody else's bucket, as a `UserError`; what is not about rights, unchanged."""
    if is_missing(error):
        return UserError(f"{uri}: there is no such bucket or object: correct the address")
    if error_code(error) == "PreconditionFailed":
        return UserError(f"{uri}: changed while it was read: run the command again once nobody writes")
    if error_code(error) in {"403", "AccessDenied"}:
        return UserError(
            f"{uri}: you may not call {error.operation_name} on it: ask the owner of the bucket for "
            "s3:ListBucket and s3:GetObject; the project's roles get them by `make bootstrap`"
        )
    return error
