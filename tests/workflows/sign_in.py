"""Signs a job in to the local AWS as GitHub and AWS do: a token about the job, exchanged for a role's credentials.

Runs in a job's working directory. The token's subject is what GitHub would give to this job of this workflow: its
environment, else the pull request or the ref; and GitHub gives none to a job without `id-token: write`.
"""

import os
import sys
from pathlib import Path

import boto3
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from automl_rehearsal.commands import web_identity_token


def job(name: str, workflow: str) -> dict:
    """The job with an id, of the workflow with a name."""
    for path in Path(".github/workflows").glob("*.yml"):
        document = yaml.safe_load(path.read_text())
        if document["name"] == workflow:
            return document["jobs"][name]
    raise SystemExit(f"no workflow {workflow}")


def subject(prefix: str, content: dict) -> str:
    """The `sub` claim (GitHub, "OpenID Connect reference", example subject claims)."""
    if "environment" in content:
        return f"{prefix}:environment:{content['environment']}"
    if os.environ["GITHUB_EVENT_NAME"] == "pull_request":
        return f"{prefix}:pull_request"
    return f"{prefix}:ref:{os.environ['GITHUB_REF']}"


def main() -> int:
    """Write the credentials to the environment of the job's next steps."""
    content = job(os.environ["GITHUB_JOB"], os.environ["GITHUB_WORKFLOW"])
    if content.get("permissions", {}).get("id-token") != "write":
        print("::error::the job has no permission id-token: write, so GitHub gives it no token")
        return 1
    sts = boto3.client(
        "sts",
        endpoint_url=os.environ["STAND_IN_AWS"],
        region_name=os.environ["REGION"],
        config=Config(signature_version=UNSIGNED),
    )
    try:
        given = sts.assume_role_with_web_identity(
            RoleArn=os.environ["ROLE"],
            RoleSessionName="GitHubActions",
            WebIdentityToken=web_identity_token(
                subject(os.environ["STAND_IN_SUBJECT"], content), os.environ["STAND_IN_SECRET"]
            ),
            DurationSeconds=int(os.environ["SECONDS_OF_SESSION"]),
        )["Credentials"]
    except ClientError as error:  # in the words of aws-actions/configure-aws-credentials
        print(f"::error::Could not assume role with OIDC: {error.response['Error']['Message']}")
        return 1
    lines = {
        "AWS_ENDPOINT_URL": os.environ["STAND_IN_AWS"],
        "AWS_REGION": os.environ["REGION"],
        "AWS_DEFAULT_REGION": os.environ["REGION"],
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
    with Path(os.environ["GITHUB_ENV"]).open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in lines.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
