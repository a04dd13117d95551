"""How a request to a model fails."""

from __future__ import annotations


class BadInput(Exception):  # noqa: N818 - named for what is wrong, as HTTP's reasons are
    """The container refuses the request: HTTP 4xx, the sender's fault."""


class UnreadableRowsError(BadInput):
    """The rows of a request are not as the model's columns are."""


class ModelError(Exception):
    """The container cannot answer: it did not start, raised, died or took too long. HTTP 5xx."""


class DownloadError(ModelError):
    """The archive at ``uri``, of the container of that number (from 1), could not be fetched."""

    def __init__(self, number: int, uri: str, reason: Exception) -> None:
        super().__init__(f"Failed to download model data from {uri}: {reason}")
        self.number = number
        self.uri = uri
        self.reason = reason
