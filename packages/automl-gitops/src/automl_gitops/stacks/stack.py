"""The project's stack: bucket, queue, Lambda functions with their code, model package group.

A function's zip holds one file of lambdas/ and is the same bytes for the same code; it lies in S3 under the hash of its
content. CloudFormation deletes neither bucket nor model package group while they hold something, and a new stack cannot
create what exists already: it imports what an earlier one left behind.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel.aws import Aws, is_missing, may_not
from automl_gitops.kernel.config import Config, read_text
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import read_python
from automl_gitops.kernel.names import Names
from automl_gitops.stacks.cloudformation import Outcome, Stack, StackState, state_of

LAMBDAS = Path("lambdas")
CODE = "Code"  # of the stack's parameters that take a function's code
# The oldest time that a zip can hold; the file's own would make another archive of the same code on each
# checkout.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16  # regular file, rw-r--r--: Lambda runs code as a user who does not own it


@dataclass(frozen=True)
class LambdaCode:
    """One function's zip; ``name`` is the file's with hyphens, as in the function's own name."""

    name: str
    content: bytes

    @property
    def parameter(self) -> str:
        """The stack's parameter that takes the key, e.g. StartAutopilotCode."""
        return "".join(word.capitalize() for word in self.name.split("-")) + CODE

    @property
    def key(self) -> str:
        """Where the zip lies in the project's bucket."""
        return f"code/lambdas/{self.name}-{hashlib.sha256(self.content).hexdigest()[:32]}.zip"


def function_names(folder: Path = LAMBDAS) -> list[str]:
    """The functions, each as `LambdaCode.name` has it, by name."""
    return [path.stem.replace("_", "-") for path in _sources(folder)]


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if path.stem != "__init__")


def zip_functions(template: str, folder: Path = LAMBDAS) -> list[LambdaCode]:
    """The zips of all functions, each of which has a parameter for its code in the stack's ``template``.

    A file without a parameter, a parameter without its file, or a file that is no Python is a `UserError`.
    """
    paths = _sources(folder)
    codes = [LambdaCode(path.stem.replace("_", "-"), _zip(path)) for path in paths]
    declared = set(re.findall(rf"^  ([A-Z]\w*{CODE}):\s*$", template, re.MULTILINE))
    for path, code in zip(paths, codes, strict=True):
        if code.parameter not in declared:
            raise UserError(
                f"{path}: infrastructure/stack.yaml has no parameter {code.parameter} for the function's code; "
                "docs/change.md shows what a function needs there"
            )
    for missing in sorted(declared - {code.parameter for code in codes}):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", missing.removesuffix(CODE)).lower()
        raise UserError(f"{folder / name}.py: not found, but infrastructure/stack.yaml has its {missing}")
    return codes


def code_keys(codes: Sequence[LambdaCode]) -> dict[str, str]:
    """The stack's parameters that take them."""
    return {code.parameter: code.key for code in codes}


def _zip(path: Path) -> bytes:
    source = read_python(path)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        entry = zipfile.ZipInfo(path.name, _EPOCH)
        entry.external_attr = _READABLE
        entry.compress_type = zipfile.ZIP_DEFLATED
        file.writestr(entry, source, compresslevel=9)
    return archive.getvalue()


def upload_code(s3: Any, bucket: str, code: LambdaCode) -> bool:
    """Put a zip into the bucket unless it is there; returns whether it was sent."""
    try:
        s3.head_object(Bucket=bucket, Key=code.key)
        return False
    except ClientError as error:
        if not is_missing(error):
            raise
    s3.put_object(Bucket=bucket, Key=code.key, Body=code.content, ContentType="application/zip")
    return True


@dataclass(frozen=True)
class LeftBehind:
    """One of the two, as infrastructure/stack.yaml calls it.

    ``identifier`` is how CloudFormation finds it, ``body`` the least that its template has to say of it: the
    deletion policy that an import takes, and what no later update can change.
    """

    logical_id: str
    name: str
    identifier: dict[str, str]
    body: dict[str, Any]


def left_behind(project: ServingProject) -> list[LeftBehind]:
    """Those of the two that exist, whether a stack holds them or not."""
    return [*_bucket(project), *_group(project)]


def _bucket(project: ServingProject) -> Iterator[LeftBehind]:
    name = project.names.bucket
    try:
        project.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=project.names.account)
    except ClientError as error:
        if is_missing(error):
            return
        raise
    identifier = {"BucketName": name}
    yield LeftBehind("Bucket", f"bucket {name}", identifier, _body("AWS::S3::Bucket", identifier))


def _group(project: ServingProject) -> Iterator[LeftBehind]:
    name = project.names.model_package_group
    try:
        answer = project.client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
    except ClientError as error:
        if is_missing(error):
            return
        raise
    properties = {"ModelPackageGroupName": name}
    if answer.get("ModelPackageGroupDescription"):
        properties["ModelPackageGroupDescription"] = answer["ModelPackageGroupDescription"]
    yield LeftBehind(
        "ModelPackageGroup",
        f"model package group {name}",
        {"ModelPackageGroupArn": answer["ModelPackageGroupArn"]},
        _body("AWS::SageMaker::ModelPackageGroup", properties),
    )


def _body(kind: str, properties: dict[str, str]) -> dict[str, Any]:
    return {"Type": kind, "DeletionPolicy": "Retain", "Properties": properties}


FILE = Path("infrastructure/stack.yaml")
PROJECT_TAG = "project"
NOBODY = "none"
_NO_CODE = "none"
_SHARE = re.compile(r"(?:(?P<environment>staging|production)=)?(?P<account>\d{12})")
_BUCKET = "Bucket"
# What CloudFormation never deletes while it holds something.
_STORAGE = ("Bucket", "ModelPackageGroup")


@dataclass(frozen=True)
class DeployedStack:
    """A stack after its deployment."""

    name: str
    outcome: Outcome
    outputs: dict[str, str]


def deploy_storage(project: ServingProject) -> Outcome:
    """Make bucket and registry, of the stack that `deploy` completes, unless they are there.

    Whom they let in is not the workflow's to say: its role may do nothing of this. Raises `UserError` or `RunError`.
    """
    template = read_text(FILE)
    stack = Stack(project.aws, project.names.stack, project.output)
    state, tags = stack.settle(keep=_STORAGE), stack_tags(project.config)
    outcome: Outcome = "unchanged"
    if not state.exists and _adopt(project, stack, tags):
        outcome = "created"
    if _BUCKET not in stack.resources():
        project.output.say(
            f"stack {stack.name}: bucket and registry, which hold the functions' code and the versions"
        )
        no_code = {code.parameter: _NO_CODE for code in zip_functions(template)}
        outcome = stack.deploy(str(FILE), template, _parameters(project, state) | no_code, tags)
    return outcome


def deploy(project: ServingProject, share_with: Sequence[str] = ()) -> DeployedStack:
    """Bring the project's stack to infrastructure/stack.yaml and wait for it.

    ``share_with`` are the accounts in which staging or production run, each as `_shares` reads it; `("none",)` takes
    the sharing back, and nothing leaves it as it is. Raises `UserError` or `RunError`.
    """
    shares = _shares(share_with, project.names.account)
    template = read_text(FILE)
    codes = zip_functions(template)
    _require_roles(project)
    stack = Stack(project.aws, project.names.stack, project.output)
    first = _with_storage(project)
    tags = stack_tags(project.config)
    parameters = _parameters(project, stack.settle(keep=_STORAGE)) | shares
    for code in codes:
        if upload_code(project.client("s3"), project.names.bucket, code):
            project.output.say(f"uploaded {code.key}")
    second = stack.deploy(str(FILE), template, parameters | code_keys(codes), tags)
    return DeployedStack(stack.name, second if first == "unchanged" else first, dict(stack.look().outputs))


def _with_storage(project: ServingProject) -> Outcome:
    try:
        return deploy_storage(project)
    except ClientError as error:
        if not may_not(error):
            raise
        raise UserError(
            f"stack {project.names.stack} has no bucket and registry yet, which {project.aws.identity['Arn']} may not "
            "make: an administrator runs `make bootstrap`"
        ) from None


def lacks_functions(state: StackState) -> bool:
    """Whether the stack holds no more than `deploy_storage` makes."""
    code = (value for name, value in state.parameters.items() if name.endswith(CODE))
    return state.exists and all(value == _NO_CODE for value in code)


def require_functions(aws: Aws, names: Names) -> None:
    """Raise `UserError` where an execution would find no function to call; whoever may not look is not told."""
    try:
        lacking = lacks_functions(state_of(aws.client("cloudformation"), names.stack))
    except ClientError as error:
        if not may_not(error):
            raise
        return
    if lacking:
        raise UserError(
            f"stack {names.stack} has no functions yet, which the pipeline calls: run `automl stack` first"
        )


def reduce_to_storage(project: ServingProject) -> Outcome:
    """Remove everything of the stack but bucket and registry; for a teardown that keeps them."""
    stack = Stack(project.aws, project.names.stack, project.output)
    state = stack.settle(keep=_STORAGE)
    if not state.exists:
        return "unchanged"
    # The template that was deployed, since a newer one might change what stays.
    no_code = {name: _NO_CODE for name in state.parameters if name.endswith(CODE)}
    return stack.deploy(str(FILE), stack.template(), {**state.parameters, **no_code}, state.tags)


def remove(project: ServingProject) -> None:
    """Delete the whole stack; CloudFormation refuses while bucket or group hold something."""
    Stack(project.aws, project.names.stack, project.output).delete()


def stack_tags(config: Config) -> dict[str, str]:
    """What everything in the project's stacks is tagged with."""
    return config.project.every_tag


def kms_key_arn(aws: Aws, config: Config) -> str:
    """The ARN of the project's key, "" where it has none; policies take no alias, so that is looked up."""
    if not config.encryption:
        return ""
    key = config.encryption.kms_key
    if ":key/" in key:
        return key
    return aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]


def known_key(aws: Aws, config: Config) -> str | None:
    """The same to whoever only looks: `None` where KMS has no such key, or does not tell."""
    try:
        return kms_key_arn(aws, config)
    except (ClientError, BotoCoreError):
        return None


def _adopt(project: ServingProject, stack: Stack, tags: dict[str, str]) -> bool:
    """Take bucket and registry of a stack that was deleted into the new one, which could not make them."""
    left = left_behind(project)
    if not left:
        return False
    names = " and ".join(one.name for one in left)
    project.output.notice(f"stack {stack.name}: taking over {names}, which a deleted stack left behind")
    template = {"Resources": {one.logical_id: one.body for one in left}}
    identifiers = {one.logical_id: one.identifier for one in left}
    stack.adopt(json.dumps(template), identifiers, tags)
    return True


def _require_roles(project: ServingProject) -> None:
    for name in (project.names.bootstrap_stack, project.names.services_stack):
        if not Stack(project.aws, name, project.output).look().exists:
            raise UserError(
                f"the project's roles are not in account {project.names.account} yet (no stack {name}): an "
                "administrator runs `automl bootstrap` first"
            )


def _parameters(project: ServingProject, state: StackState) -> dict[str, str]:
    """The stack's, without its code; whom it is shared with stays as it is."""
    shared = state.parameters.get("HostingAccounts", "")
    return {
        "Project": project.names.project,
        "KmsKeyArn": kms_key_arn(project.aws, project.config),
        "HostingAccounts": shared,
        "ProductionAccounts": state.parameters.get("ProductionAccounts", shared),
    }


def _shares(given: Sequence[str], own: str) -> dict[str, str]:
    """The parameters of sharing: `staging=ACCOUNT` loads models, `production=ACCOUNT`, or ACCOUNT alone, keeps requests
    and uses the registry too.
    """
    if not given:
        return {}
    hosting, production = set(), set()
    for one in () if list(given) == [NOBODY] else given:
        match = _SHARE.fullmatch(one)
        if not match:
            raise UserError(
                f"--share-with {one} is no AWS account: write its twelve digits, staging= or production= before them "
                f"if only that runs there, or `{NOBODY}` for nobody"
            )
        hosting.add(match["account"])
        if match["environment"] != "staging":
            production.add(match["account"])
    parameters = {"HostingAccounts": hosting, "ProductionAccounts": production}
    return {name: ",".join(sorted(accounts - {own})) for name, accounts in parameters.items()}
