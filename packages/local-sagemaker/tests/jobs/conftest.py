from __future__ import annotations

from typing import Any

import pytest
from jobs_kit import BUCKET, EXPLAINING, TRUST, Site, policy


@pytest.fixture(scope="session")
def site(local_aws: Any) -> Site:
    s3, iam = local_aws.client("s3"), local_aws.client("iam")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": local_aws.region})
    role = iam.create_role(RoleName="JobTests", AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    allowed = [
        {
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        },
        {"Effect": "Allow", "Action": ["kms:*", "logs:*"], "Resource": "*"},
        *EXPLAINING,
    ]
    iam.put_role_policy(RoleName="JobTests", PolicyName="jobs", PolicyDocument=policy(*allowed))
    return Site(local_aws, role)
