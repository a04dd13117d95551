from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.stubbed_aws import StubbedAws


@pytest.fixture
def aws(caplog: pytest.LogCaptureFixture) -> Iterator[StubbedAws]:
    """Stubbed clients; in the end every call that was agreed on has been made, and none beside."""
    stubbed = StubbedAws()
    yield stubbed
    stubbed.check()
    # A call that nobody agreed on looks like an error of AWS to the function, which goes on.
    assert "Error getting response stub" not in caplog.text
