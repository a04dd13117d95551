"""How a transform job cuts an object into requests and puts the answers together.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

from collections.abc import Iterator


class TooLargeError(Exception):
    """A record is larger than MaxPayloadInMB."""


def payloads(content: bytes, split: str, strategy: str, limit: int) -> Iterator[bytes]:
    """The requests for one object; ``limit`` is their size in bytes.

    SplitType ``split``: Line cuts at every newline, inside quotes too, as the service does; None cuts
    nothing. BatchStrategy ``strategy``: MultiRecord puts as many lines into a request as fit. Raises
    TooLargeError.
    """
    if split == "None":
        yield _within(content, limit)
        return
    batch: list[bytes] = []
    size = 0
    for line in content.splitlines(keepends=True):
        if not line.strip():
            continue
        record = _within(line, limit)
        if batch and (strategy == "SingleRecord" or size + len(record) > limit):
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield b"".join(batch)


def assemble(answers: list[bytes], assemble_with: str) -> bytes:
    """One object of the answers, in order: ``Line`` ends each with a newline, ``None`` adds nothing."""
    if assemble_with == "Line":
        return b"".join(answer.rstrip(b"\n") + b"\n" for answer in answers if answer)
    return b"".join(answers)


def _within(record: bytes, limit: int) -> bytes:
    if len(record) > limit:
        raise TooLargeError(f"a record has {len(record)} bytes, MaxPayloadInMB allows {limit}")
    return record
