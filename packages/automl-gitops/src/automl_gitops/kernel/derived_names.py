"""What everything that a project has in AWS is called, by the project's own name; and what others then may not be."""

import re
from functools import cache

from automl_gitops.kernel.service import partition

FUNCTIONS = ("start-autopilot", "check-autopilot", "register-model")
# Those of infrastructure/ beside the three that SageMaker runs as.
ROLES = (
    "PlanRole", "RetrainRole", "PromoteRole", "TeardownRole", "StagingRole", "ProductionRole", "DataScientistRole",
    "LambdaExecutionRole",
)  # fmt: skip


# How the names of releases begin, behind their project's; versions and hashes follow.
_RELEASE = re.compile(r"-(staging|production)-v")


class DerivedNames:
    """Names, ARNs and S3 addresses of what begins with ``project``, in one region of one account (twelve digits)."""

    account: str

    @property
    def project(self) -> str:
        """The project's name, which is also that of the pipeline and of the model package group."""
        raise NotImplementedError

    @property
    def region(self) -> str:
        """The AWS region."""
        raise NotImplementedError

    @property
    def pipeline(self) -> str:
        """The SageMaker pipeline."""
        return self.project

    @property
    def model_package_group(self) -> str:
        """The group of the registry that holds the project's versions."""
        return self.project

    @property
    def bucket(self) -> str:
        """The S3 bucket of data, code and results."""
        return f"{self.project}-{self.account}-{self.region}"

    @property
    def bootstrap_stack(self) -> str:
        """The CloudFormation stack of the workflows' roles, which an administrator deploys once."""
        return f"{self.project}-bootstrap"

    @property
    def services_stack(self) -> str:
        """The CloudFormation stack of the roles that services run as, deployed behind `bootstrap_stack`."""
        return f"{self.project}-services"

    @property
    def people_stack(self) -> str:
        """The CloudFormation stack of the data scientists' role, where an administrator named any."""
        return f"{self.project}-people"

    @property
    def stack(self) -> str:
        """The CloudFormation stack that the workflow deploys."""
        return self.project

    @property
    def queue(self) -> str:
        """The SQS queue of the callback step."""
        return f"{self.project}-autopilot-callback"

    @property
    def dead_letter_queue(self) -> str:
        """The SQS queue of messages that nobody understood."""
        return f"{self.queue}-dlq"

    @property
    def staging_endpoint(self) -> str:
        """The endpoint on which a version is verified."""
        return f"{self.project}-staging"

    @property
    def production_endpoint(self) -> str:
        """The endpoint that people use."""
        return f"{self.project}-production"

    @property
    def execution_role(self) -> str:
        """The role that pipeline, its jobs and the models in them run as."""
        return f"{self.project}-SageMakerExecutionRole"

    @property
    def serving_role(self) -> str:
        """The role that models behind endpoints run as."""
        return f"{self.project}-ServingRole"

    @property
    def autopilot_role(self) -> str:
        """The role that Autopilot runs as."""
        return f"{self.project}-AutopilotRole"

    def role(self, name: str) -> str:
        """An IAM role of infrastructure/, by what follows the project in its name."""
        return f"{self.project}-{name}"

    def function(self, name: str) -> str:
        """A Lambda function; ``name`` is its file's in lambdas/, with hyphens."""
        return f"{self.project}-{name}"

    def automl_job(self, execution_id: str) -> str:
        """The Autopilot job of a pipeline execution (12 characters), at most 32 characters as the service
        wants.
        """
        return f"{self.project}-{execution_id}"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:{partition(self.region)}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, role: str) -> str:
        """The ARN of an IAM role (IAM has no region)."""
        return f"arn:{partition(self.region)}:iam::{self.account}:role/{role}"

    @property
    def execution_role_arn(self) -> str:
        """The ARN of `execution_role`."""
        return self.role_arn(self.execution_role)

    @property
    def autopilot_role_arn(self) -> str:
        """The ARN of `autopilot_role`."""
        return self.role_arn(self.autopilot_role)

    def function_arn(self, name: str) -> str:
        """The ARN of a Lambda function; ``name`` as in `function`."""
        return self.arn("lambda", f"function:{self.function(name)}")

    @property
    def queue_url(self) -> str:
        """The URL of `queue`, as SQS forms it."""
        suffix = "amazonaws.com.cn" if partition(self.region) == "aws-cn" else "amazonaws.com"
        return f"https://sqs.{self.region}.{suffix}/{self.account}/{self.queue}"

    def s3(self, *keys: str) -> str:
        """The S3 URI of a key in the project's bucket, its parts joined by slashes."""
        return "/".join((f"s3://{self.bucket}", *keys))


class _Nameless(DerivedNames):
    project, region, account = "", "us-east-1", ""


@cache
def endings() -> frozenset[str]:
    """What follows a project's name and a hyphen in the names above, in lower case: IAM does not tell it from upper.

    Without the bucket and the Autopilot jobs, whose names end in an account's or a run's own.
    """
    names = _Nameless()
    derived = [
        getattr(names, key) for key, value in vars(DerivedNames).items() if isinstance(value, property)
    ]
    derived += [*map(names.function, FUNCTIONS), *map(names.role, ROLES)]
    return frozenset(name[1:].lower() for name in derived if name[:1] == "-" != name[1:2])


def collision(project: str) -> str | None:
    """Another project, one of whose own resources would be called ``project``, or begin with it so that roles could
    not tell them from the other's releases; `None` where there is none.
    """
    release = _RELEASE.search(project)
    if release:
        return project[: release.start()]
    ending = next((one for one in endings() if project.endswith(f"-{one}")), None)
    return project.removesuffix(f"-{ending}") if ending else None
