"""What a file is by its first bytes, since its name may say anything, and what to give in the place of no table."""

import codecs
import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from automl_gitops.kernel.errors import UserError

Format = Literal["csv", "csv.gz", "parquet"]
UTF_8 = "utf-8"
WANTED = "give a CSV, CSV.gz or Parquet file"
_HEAD = 64 * 2**10  # bytes that are looked at
_EXPORT = "export the table as CSV with commas"
_UNPACK = "unpack it, and give the CSV or Parquet file that is in it"
# Bytes at the start, and at which place: what the file is, and what to do.
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (such as .xls)", _EXPORT),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"BZh", "compressed with bzip2", "unpack it, or compress it with gzip"),
    (0, b"\xfd7zXZ\x00", "compressed with xz", "unpack it, or compress it with gzip"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it, or compress it with gzip"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", "unpack it, or compress it with gzip"),
    (0, b"\x89PNG", "a PNG image", WANTED),
    (0, b"\xff\xd8\xff", "a JPEG image", WANTED),
    (0, b"GIF8", "a GIF image", WANTED),
    (0, b"II*\x00", "a TIFF image", WANTED),
    (0, b"MM\x00*", "a TIFF image", WANTED),
    (8, b"WEBP", "a WebP image", WANTED),
    (4, b"ftyp", "a video or image", WANTED),
    (0, b"%PDF", "a PDF document", WANTED),
    (0, b"{\\rtf", "an RTF document", _EXPORT),
    (0, b"SQLite format 3", "an SQLite database", _EXPORT),
    (0, b"ARROW1", "an Arrow (Feather) file", "write the table as Parquet"),
    (0, b"FEA1", "a Feather file", "write the table as Parquet"),
    (0, b"ORC", "an ORC file", "write the table as Parquet"),
    (0, b"Obj\x01", "an Avro file", "write the table as Parquet"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write the table as Parquet or CSV"),
    (0, b"\x93NUMPY", "a NumPy array", "write it as CSV with a header"),
    (0, b"$FL2", "an SPSS file", _EXPORT),
    (0, b"<stata_dta>", "a Stata file", _EXPORT),
    (84, b"SAS FILE", "a SAS file", _EXPORT),
    (0, b"RDX", "an R workspace", "write the table with write.csv(..., row.names = FALSE)"),
    (0, b"\x7fELF", "a program", WANTED),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "run `git lfs pull`"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x95}\](c]")
_MARKUP = re.compile(rb"\s*<(!--|!doctype|\?xml|[a-z][a-z0-9]*[\s>/])", re.IGNORECASE)
_JSON = re.compile(rb'\s*(\{\s*("[^"]*"\s*:|\})|\[\s*[\[{])')
_IN_UTF_16 = "text in UTF-16", 'save it as UTF-8 (Excel: "CSV UTF-8")'
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_PRINTABLE = (
    b"%PDF",
    b"{\\rtf",
    b"<stata_dta>",
    b"version https://git-lfs",
)  # of text, but no table's header
_FEW = 0.01  # control characters in what somebody typed


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written, where not with commas in UTF-8; Parquet and the project's own files know none.

    Raises `UserError` for a delimiter that is no single character, and an encoding that Python does not know.
    """

    delimiter: str = ","
    encoding: str = UTF_8

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n':
            raise UserError(
                f"--delimiter {self.delimiter!r}: write one character, such as --delimiter ';' (tab for a tab)"
            )
        try:
            "".encode(self.encoding)  # also refuses codecs that are none of texts, such as hex
        except (LookupError, UnicodeError):
            raise UserError(
                f"--encoding {self.encoding!r}: is no encoding that Python knows, such as cp1252, utf-16"
            ) from None

    @classmethod
    def of(cls, delimiter: str, encoding: str) -> "Dialect":
        """From what somebody typed."""
        return cls({"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter), encoding)

    @property
    def is_utf_8(self) -> bool:
        """Whether the bytes are read as they are."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")


def format_of(path: Path, name: str, dialect: Dialect | None = None) -> Format:
    """The format by the first bytes; ``name`` is what messages call the file.

    Raises `UserError` where it is missing, unreadable, empty, or known to be no table, unless ``dialect`` says that it
    is text in an encoding of its own.
    """
    start = _read(path, name)
    known = dialect is None or dialect.is_utf_8
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\x1f\x8b"):
        if known:
            refuse_if_known(_unpacked(start), name, packed=True, options=dialect is not None)
        return "csv.gz"
    if known:
        refuse_if_known(start, name, options=dialect is not None)
    return "csv"


def _read(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise UserError(f"{name}: is a folder: give one file of it (CSV, CSV.gz or Parquet)")
        if path.exists() and not path.is_file():
            raise UserError(
                f"{name}: is no file that can be read twice, but a pipe or device: save the table first"
            )
        with path.open("rb") as file:
            start = file.read(_HEAD)
    except FileNotFoundError:
        raise UserError(f"{name}: not found") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{name}: cannot be read ({reason}): {WANTED}") from None
    if not start:
        raise UserError(f"{name}: is empty: {WANTED} with a header and rows")
    return start


def _unpacked(start: bytes) -> bytes:
    """As much of gzip's content as the first bytes give; a damaged file is found when it is read."""
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(start, _HEAD)
    except (zlib.error, gzip.BadGzipFile):
        return b""


def refuse_if_known(start: bytes, name: str, *, packed: bool = False, options: bool = False) -> None:
    """Raise `UserError` where the first bytes are of something else than CSV; ``options`` says whether the command
    takes those of a `Dialect`.
    """
    kind = _known(start, packed=packed)
    if kind:
        what, way_out = kind
        if options and what == _IN_UTF_16[0]:
            way_out = f"{way_out}, or add --encoding utf-16"
        raise UserError(
            f"{name}: is {'gzip around what is ' if packed else ''}{what}, no CSV, CSV.gz or Parquet file: {way_out}"
        )


def _known(start: bytes, *, packed: bool) -> tuple[str, str] | None:
    if packed and start.startswith(b"PAR1"):
        return "a Parquet file", "unpack it; Parquet is compressed by itself"
    if packed and start.startswith(b"\x1f\x8b"):
        return "compressed again", "unpack it once"
    if start.startswith(b"PK\x03\x04"):
        return _zip(start)
    strange = len(_CONTROL.findall(start))
    for place, signature, what, way_out in _SIGNATURES:
        # A column may be called ORC_ID.
        if start[place:].startswith(signature) and (strange or signature in _PRINTABLE):
            return what, way_out
    if _PICKLE.match(start):
        return "a Python pickle", "write the table as Parquet or CSV"
    if start.startswith(_UTF_16) or _is_utf_16(start):
        return _IN_UTF_16
    if strange > _FEW * len(start):
        return "binary", WANTED
    text = start.removeprefix(codecs.BOM_UTF8)
    if _MARKUP.match(text):
        html = re.search(rb"<(!doctype html|html|body|table|div)", text[:2000], re.IGNORECASE)
        hint = "a download may have ended at a page to sign in; " if html else ""
        return ("HTML" if html else "XML"), f"{hint}{_EXPORT}"
    if _JSON.match(text):
        return "JSON", f"{_EXPORT} (pandas: read_json, then to_csv(index=False))"
    return None


def _zip(start: bytes) -> tuple[str, str]:
    """Office's files and archives look alike; the names of what they hold tell."""
    if b"xl/" in start or b"[Content_Types].xml" in start or b".xlsb" in start:
        return (
            "an Excel workbook (or another Office file)",
            'save the sheet as CSV ("CSV UTF-8", with commas)',
        )
    if b"opendocument.spreadsheet" in start:
        return "an OpenDocument spreadsheet", "save the sheet as CSV (UTF-8, with commas)"
    if b".npy" in start:
        return "a NumPy archive", "write the table as CSV with a header"
    return "a zip archive", _UNPACK


def _is_utf_16(start: bytes) -> bool:
    """Without a byte order mark every other byte of plain letters is zero."""
    half = len(start) // 2
    return half > 4 and any(start[first::2].count(0) > 0.8 * half for first in (0, 1))
