"""What a processing job said last, from CloudWatch Logs: SageMaker's reason is often an exit code alone."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

GROUP = "/aws/sagemaker/ProcessingJobs"


def tail(client: Any, job: str, lines: int = 15) -> list[str]:
    """The last lines of a job's log; none where there is none, or to whom may not read it.

    The reason of the failure is known without it, so that nothing here may end the command.
    """
    try:
        found = client.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{job}/")["logStreams"]
        said = [
            event["message"].rstrip()
            for stream in found
            for event in client.get_log_events(
                logGroupName=GROUP, logStreamName=stream["logStreamName"], limit=lines, startFromHead=False
            )["events"]
        ]
    except (ClientError, BotoCoreError):
        return []
    return said[-lines:]
