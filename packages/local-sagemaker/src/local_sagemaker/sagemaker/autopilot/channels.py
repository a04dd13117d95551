"""Where a job's data is, by what it is for. The training process imports this, and nothing of the server's."""

from __future__ import annotations

from typing import Any


def channels(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The channels of a request by their type."""
    return {
        channel.get("ChannelType", "training"): channel for channel in request["AutoMLJobInputDataConfig"]
    }
