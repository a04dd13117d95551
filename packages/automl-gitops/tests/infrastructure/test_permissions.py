"""Who may do what, asked of the local AWS, which enforces the roles' policies as IAM does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from automl_gitops.kernel.names import Names
from automl_gitops.stacks import bootstrap, stack
from support import keys
from support.deployed import DeployedProject
from support.project import PROJECT

REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}
HOSTING_ACCOUNT = "222222222222"  # of staging and production
STAGING_ACCOUNT = "333333333333"  # of staging alone
IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/autogluon-inference:1.6-cpu-py312"


@pytest.fixture(scope="module")
def project(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedProject]:
    """A project with roles and stack, a key that encrypts, endpoints limited to one instance type, and a registered
    version.
    """
    statements = key_statements(local_aws.account)  # of a document of the project, whose folder is left now
    with pytest.MonkeyPatch.context() as monkeypatch:
        project = DeployedProject(local_aws, tmp_path_factory.mktemp("project"), monkeypatch)
        administrator = project.client("sts").get_caller_identity()["Arn"]
        project.name_key(keys.make(project.client("kms"), administrator, statements))
        project.name_buckets(f"lake-{project.name}")
        bootstrap.deploy(project.sign_in(), None, ["ml.m5.large"])
        user = project.client("iam").create_user(UserName=f"{project.name}-anna")["User"]["Arn"]
        bootstrap.deploy_people(project.sign_in(), [user], bootstrap.data_buckets(project.names))
        stack.deploy(project.sign_in(), [HOSTING_ACCOUNT, f"staging={STAGING_ACCOUNT}"])
        stack.deploy(project.sign_in("RetrainRole"))
        for account in (HOSTING_ACCOUNT, STAGING_ACCOUNT):
            bootstrap.deploy_hosting(project.sign_in(account=account), local_aws.account)
        register(project)
        yield project


def key_statements(account: str) -> list[dict[str, Any]]:
    """What docs/set-up.md says that a key's policy has to have, with both other accounts."""
    accounts, logs = keys.statements(Path(), "eu-west-1", account, HOSTING_ACCOUNT)
    principals: list[str] = accounts["Principal"]["AWS"]
    principals.append(principals[1].replace(HOSTING_ACCOUNT, STAGING_ACCOUNT))
    return [accounts, logs]


def register(project: DeployedProject) -> None:
    bucket = project.names.bucket
    project.client("s3").put_object(Bucket=bucket, Key="autopilot/model.tar.gz", Body=b"model")
    project.client("sagemaker", "LambdaExecutionRole").create_model_package(
        ModelPackageGroupName=project.name,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/autopilot/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def is_allowed(client: Any, operation: str, **parameters: Any) -> bool:
    """Whether the call passes IAM; what the service then says of it is another matter."""
    try:
        getattr(client, operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] not in REFUSALS
    return True


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("PlanRole", False),
        ("RetrainRole", False),
        ("LambdaExecutionRole", False),
        ("SageMakerExecutionRole", False),
        ("ServingRole", False),
        ("AutopilotRole", False),
        ("TeardownRole", False),
        ("DataScientistRole", False),
        ("PromoteRole", True),
    ],
)
def test_only_the_production_role_approves(project: DeployedProject, role: str, allowed: bool) -> None:
    version = project.names.arn("sagemaker", f"model-package/{project.name}/1")

    approves = is_allowed(
        project.client("sagemaker", role),
        "update_model_package",
        ModelPackageArn=version,
        ModelApprovalStatus="Approved",
    )

    assert approves is allowed


@pytest.mark.parametrize("role", ["LambdaExecutionRole", "RetrainRole", "PromoteRole", "DataScientistRole"])
def test_nobody_registers_a_version_as_approved(project: DeployedProject, role: str) -> None:
    specification = {
        "Containers": [
            {"Image": "image", "ModelDataUrl": f"s3://{project.names.bucket}/autopilot/model.tar.gz"}
        ],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }

    registers = is_allowed(
        project.client("sagemaker", role),
        "create_model_package",
        ModelPackageGroupName=project.name,
        ModelApprovalStatus="Approved",
        InferenceSpecification=specification,
    )

    assert not registers


@pytest.mark.parametrize(
    ("role", "endpoint", "allowed"),
    [
        ("PlanRole", "staging", False),
        ("RetrainRole", "staging", True),
        ("RetrainRole", "production", False),
        ("PromoteRole", "production", True),
        ("PromoteRole", "staging", False),
        ("SageMakerExecutionRole", "production", False),
        ("ServingRole", "staging", False),
        ("ServingRole", "production", False),
        ("AutopilotRole", "staging", False),
        ("AutopilotRole", "production", False),
        ("LambdaExecutionRole", "production", False),
        ("TeardownRole", "production", True),
        ("DataScientistRole", "staging", False),
        ("DataScientistRole", "production", False),
    ],
)
def test_each_endpoint_has_its_role(
    project: DeployedProject, role: str, endpoint: str, allowed: bool
) -> None:
    deletes = is_allowed(
        project.client("sagemaker", role), "delete_endpoint", EndpointName=f"{project.name}-{endpoint}"
    )

    assert deletes is allowed


@pytest.mark.parametrize(
    ("role", "key", "reads", "writes"),
    [
        ("PlanRole", "datasets/a.csv", False, False),
        ("PlanRole", "evaluations/a.json", True, False),
        ("PlanRole", "verifications/a.json", True, False),
        ("PlanRole", "deployments/a.json", True, False),
        ("RetrainRole", "datasets/a.csv", True, True),
        ("RetrainRole", "evaluations/a.json", True, False),
        ("RetrainRole", "verifications/a.json", True, True),
        ("RetrainRole", "deployments/a.json", True, False),
        ("PromoteRole", "datasets/a.csv", True, False),
        ("PromoteRole", "evaluations/a.json", True, False),
        ("PromoteRole", "deployments/a.json", True, True),
        ("LambdaExecutionRole", "datasets/a.csv", False, False),
        ("LambdaExecutionRole", "evaluations/a.json", True, False),
        ("LambdaExecutionRole", "autopilot/x/request.json", True, True),
        ("LambdaExecutionRole", "autopilot/x/model.tar.gz", True, False),
        ("SageMakerExecutionRole", "datasets/a.csv", True, False),
        ("SageMakerExecutionRole", "evaluations/a.json", True, True),
        ("SageMakerExecutionRole", "verifications/a.json", True, False),
        ("SageMakerExecutionRole", "autopilot/x/model.tar.gz", True, False),
        ("SageMakerExecutionRole", "captured/production/a.jsonl", True, False),
        ("ServingRole", "autopilot/x/model.tar.gz", True, False),
        ("ServingRole", "autopilot/x/train.csv", False, False),
        ("ServingRole", "captured/production/a.jsonl", False, True),
        ("ServingRole", "captured/staging/a.jsonl", False, False),
        ("ServingRole", "datasets/a.csv", False, False),
        ("ServingRole", "transforms/a.csv", False, False),
        ("ServingRole", "evaluations/a.json", False, False),
        ("ServingRole", "verifications/a.json", False, False),
        ("ServingRole", "deployments/a.json", False, False),
        ("PlanRole", "autopilot/x/model.tar.gz", False, False),
        ("PromoteRole", "autopilot/x/model.tar.gz", True, False),
        ("RetrainRole", "autopilot/x/model.tar.gz", True, False),
        ("AutopilotRole", "datasets/a.csv", True, False),
        ("AutopilotRole", "autopilot/x/model.tar.gz", True, True),
        ("AutopilotRole", "evaluations/a.json", True, False),
        ("TeardownRole", "datasets/a.csv", False, False),
        ("TeardownRole", "deployments/a.json", True, False),
        ("TeardownRole", "evaluations/a.json", False, False),
        ("TeardownRole", "verifications/a.json", False, False),
        ("DataScientistRole", "datasets/a.csv", True, True),
        ("DataScientistRole", "code/a.py", False, False),
        ("DataScientistRole", "autopilot/x/model.tar.gz", False, False),
        ("DataScientistRole", "transforms/a.csv", False, False),
        ("DataScientistRole", "captured/a.jsonl", False, False),
        ("DataScientistRole", "evaluations/a.json", True, False),
        ("DataScientistRole", "verifications/a.json", True, False),
        ("DataScientistRole", "deployments/a.json", True, False),
    ],
)
def test_data_and_records_have_their_writers(
    project: DeployedProject, role: str, key: str, reads: bool, writes: bool
) -> None:
    bucket = project.names.bucket
    # Encrypted, so that the key has to let itself be used too.
    project.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    s3 = project.client("s3", role)

    assert is_allowed(s3, "get_object", Bucket=bucket, Key=key) is reads
    assert is_allowed(s3, "put_object", Bucket=bucket, Key=key, Body=b"x") is writes


@pytest.mark.parametrize(
    ("role", "lists", "reads"),
    [
        ("PlanRole", False, False),
        ("RetrainRole", True, False),
        ("PromoteRole", False, False),
        ("TeardownRole", False, False),
        ("LambdaExecutionRole", False, False),
        ("SageMakerExecutionRole", True, True),
        ("ServingRole", False, False),
        ("AutopilotRole", True, True),
        ("DataScientistRole", True, True),
    ],
)
def test_data_by_reference_is_read_where_it_is_trained_on(
    project: DeployedProject, role: str, lists: bool, reads: bool
) -> None:
    s3 = project.client("s3", role)
    lake = f"lake-{project.name}"

    assert is_allowed(s3, "list_objects_v2", Bucket=lake) is lists
    assert is_allowed(s3, "get_object", Bucket=lake, Key="train/a.csv") is reads
    assert not is_allowed(s3, "put_object", Bucket=lake, Key="train/a.csv", Body=b"x")
    assert not is_allowed(s3, "delete_object", Bucket=lake, Key="train/a.csv")
    assert not is_allowed(s3, "get_bucket_policy", Bucket=lake)


@pytest.mark.parametrize("bucket", ["lake-{}-other", "other-{}", "{}-lake"])
def test_a_bucket_that_is_not_named_is_out_of_reach(project: DeployedProject, bucket: str) -> None:
    s3 = project.client("s3", "SageMakerExecutionRole")
    other = bucket.format(project.name)

    assert not is_allowed(s3, "list_objects_v2", Bucket=other)
    assert not is_allowed(s3, "get_object", Bucket=other, Key="train/a.csv")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        (
            "sagemaker.create_pipeline",
            {"PipelineName": "{}", "RoleArn": "{role}", "ClientRequestToken": "a" * 32},
        ),
        ("sagemaker.start_pipeline_execution", {"PipelineName": "{}"}),
        (
            "sagemaker.stop_pipeline_execution",
            {"PipelineExecutionArn": "{arn}:pipeline/{}/execution/abcdefghijkl"},
        ),
        ("sagemaker.delete_pipeline", {"PipelineName": "{}", "ClientRequestToken": "a" * 32}),
        ("sagemaker.stop_auto_ml_job", {"AutoMLJobName": "{}-abcdefghijkl"}),
        ("sagemaker.delete_model_package", {"ModelPackageName": "{arn}:model-package/{}/1"}),
        ("sagemaker.delete_model_package_group", {"ModelPackageGroupName": "{}"}),
        ("sagemaker.delete_model", {"ModelName": "{}-staging-v1"}),
        ("sagemaker.delete_endpoint_config", {"EndpointConfigName": "{}-staging-v1"}),
        ("sagemaker-runtime.invoke_endpoint", {"EndpointName": "{}-production", "Body": b"1"}),
        ("cloudformation.delete_stack", {"StackName": "{}"}),
        ("cloudformation.delete_stack", {"StackName": "{}-people"}),
        ("lambda.invoke", {"FunctionName": "{}-start-autopilot"}),
        ("lambda.delete_function", {"FunctionName": "{}-start-autopilot"}),
        ("s3.delete_object", {"Bucket": "{bucket}", "Key": "datasets/a.csv"}),
        ("s3.delete_object", {"Bucket": "{bucket}", "Key": "evaluations/a.json"}),
        ("s3.delete_bucket", {"Bucket": "{bucket}"}),
        ("cloudwatch.delete_alarms", {"AlarmNames": ["{}-production-5xx"]}),
        ("sts.assume_role", {"RoleArn": "{role}", "RoleSessionName": "test"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_data_scientist_starts_serves_and_deletes_nothing(
    project: DeployedProject, operation: str, parameters: dict[str, Any]
) -> None:
    service, method = operation.split(".")
    names = project.names
    known = {
        "arn": names.arn("sagemaker", "").rstrip(":"),
        "role": names.execution_role_arn,
        "bucket": names.bucket,
    }

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        return value.format(project.name, **known) if isinstance(value, str) else value

    given = {name: filled(value) for name, value in parameters.items()}

    assert not is_allowed(project.client(service, "DataScientistRole"), method, **given)


@pytest.mark.parametrize(
    "role", ["RetrainRole", "PromoteRole", "TeardownRole", "PlanRole", "DataScientistRole"]
)
def test_workflows_and_people_cannot_widen_their_rights(project: DeployedProject, role: str) -> None:
    iam = project.client("iam", role)
    own = f"{project.name}-{role}"

    assert not is_allowed(iam, "put_role_policy", RoleName=own, PolicyName="more", PolicyDocument="{}")
    assert not is_allowed(
        iam, "attach_role_policy", RoleName=own, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    assert not is_allowed(
        project.client("cloudformation", role), "delete_stack", StackName=project.names.bootstrap_stack
    )


@pytest.mark.parametrize(
    ("role", "operation", "parameters"),
    [
        ("RetrainRole", "lambda.get_function", {"FunctionName": "other-function"}),
        ("RetrainRole", "lambda.update_function_code", {"FunctionName": "{}-x-start-autopilot"}),
        ("RetrainRole", "lambda.delete_function", {"FunctionName": "other-function"}),
        ("RetrainRole", "sqs.create_queue", {"QueueName": "other-queue"}),
        ("RetrainRole", "s3.create_bucket", {"Bucket": "other-bucket"}),
        ("RetrainRole", "cloudformation.delete_stack", {"StackName": "other"}),
        ("TeardownRole", "s3.delete_bucket", {"Bucket": "other-bucket"}),
        ("TeardownRole", "sagemaker.delete_endpoint", {"EndpointName": "other-production"}),
        (
            "TeardownRole",
            "sagemaker.delete_pipeline",
            {"PipelineName": "other", "ClientRequestToken": "a" * 32},
        ),
        ("LambdaExecutionRole", "sagemaker.stop_auto_ml_job", {"AutoMLJobName": "other-abcdefghijkl"}),
        ("SageMakerExecutionRole", "sagemaker.delete_model", {"ModelName": "other-model"}),
        ("SageMakerExecutionRole", "lambda.invoke", {"FunctionName": "other-function"}),
        (
            "AutopilotRole",
            "sagemaker-runtime.invoke_endpoint",
            {"EndpointName": "other-production", "Body": b"1"},
        ),
        ("AutopilotRole", "sagemaker.delete_endpoint", {"EndpointName": "other-staging"}),
    ],
)
def test_another_projects_resources_are_out_of_reach(
    project: DeployedProject, role: str, operation: str, parameters: dict[str, Any]
) -> None:
    service, method = operation.split(".")
    given = {
        name: value.format(project.name) if isinstance(value, str) else value
        for name, value in parameters.items()
    }

    assert not is_allowed(project.client(service, role), method, **given)


@pytest.mark.parametrize(("role", "environment"), [("RetrainRole", "staging"), ("PromoteRole", "production")])
@pytest.mark.parametrize(
    ("variant", "allowed"),
    [
        ({"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}, True),
        ({"InstanceType": "ml.p4d.24xlarge", "InitialInstanceCount": 1}, False),
        ({"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}, True),
    ],
    ids=["the allowed instance", "a dear one", "serverless"],
)
def test_only_the_allowed_instances_serve(
    project: DeployedProject, role: str, environment: str, variant: dict[str, Any], allowed: bool
) -> None:
    creates = is_allowed(
        project.client("sagemaker", role),
        "create_endpoint_config",
        EndpointConfigName=f"{project.name}-{environment}-v1-0000000000",
        ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": f"{project.name}-model", **variant}],
    )

    assert creates is allowed


def test_a_role_goes_to_its_own_service_only(project: DeployedProject) -> None:
    functions = project.client("lambda", "RetrainRole")

    passes = is_allowed(
        functions,
        "create_function",
        FunctionName=f"{project.name}-other",
        Role=project.names.execution_role_arn,
        Runtime="python3.13",
        Handler="a.b",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )

    assert not passes


@pytest.mark.parametrize(
    ("role", "about", "allowed"),
    [
        *(
            ("PlanRole", f"{{}}-{one}Role", True)
            for one in ("Plan", "Production", "Serving", "Staging", "Teardown")
        ),
        ("PlanRole", "{}-x-StagingRole", False),
        ("PlanRole", "OrganizationAccountAccessRole", False),
        ("StagingRole", "{}-StagingRole", False),
        ("ProductionRole", "{}-ProductionRole", False),
        ("TeardownRole", "{}-TeardownRole", False),
    ],
)
def test_in_a_hosting_account_one_role_asks_what_the_project_s_roles_may(
    project: DeployedProject, role: str, about: str, allowed: bool
) -> None:
    simulates = is_allowed(
        project.client("iam", role, HOSTING_ACCOUNT),
        "simulate_principal_policy",
        PolicySourceArn=f"arn:aws:iam::{HOSTING_ACCOUNT}:role/{about.format(project.name)}",
        ActionNames=["sagemaker:InvokeEndpoint"],
    )

    assert simulates is allowed


@pytest.mark.parametrize(
    ("role", "hosting_role", "allowed"),
    [
        ("RetrainRole", "StagingRole", True),
        ("RetrainRole", "ProductionRole", False),
        ("PromoteRole", "ProductionRole", True),
        ("PromoteRole", "StagingRole", False),
        ("PlanRole", "PlanRole", True),
        ("PlanRole", "ProductionRole", False),
        ("TeardownRole", "TeardownRole", True),
    ],
)
def test_hosting_accounts_trust_the_matching_role(
    project: DeployedProject, role: str, hosting_role: str, allowed: bool
) -> None:
    assumes = is_allowed(
        project.client("sts", role),
        "assume_role",
        RoleArn=f"arn:aws:iam::{HOSTING_ACCOUNT}:role/{project.name}-{hosting_role}",
        RoleSessionName="test",
    )

    assert assumes is allowed


@pytest.mark.parametrize(
    ("role", "account", "environment"),
    [
        ("RetrainRole", "", "staging"),
        ("PromoteRole", "", "production"),
        ("StagingRole", HOSTING_ACCOUNT, "staging"),
        ("ProductionRole", HOSTING_ACCOUNT, "production"),
    ],
)
def test_who_serves_may_have_the_volumes_encrypted(
    project: DeployedProject, role: str, account: str, environment: str
) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{project.names.bucket}/autopilot/model.tar.gz"}
    name = f"{project.name}-{environment}-v1-{role.lower()[:10]}"
    owner = account or project.aws.account
    execution = f"arn:aws:iam::{owner}:role/{project.name}-ServingRole"
    encryption = project.config.encryption
    assert encryption
    project.client("s3").put_object(Bucket=project.names.bucket, Key="autopilot/model.tar.gz", Body=b"model")
    sagemaker = project.client("sagemaker", role, account)

    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=execution)
    made = sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        KmsKeyId=encryption.kms_key,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )

    assert made["EndpointConfigArn"]


def test_who_only_reads_reports_decrypts_nothing_but_through_s3(project: DeployedProject) -> None:
    encryption = project.config.encryption
    assert encryption
    kms = project.client("kms")
    secret = kms.encrypt(KeyId=encryption.kms_key, Plaintext=b"x")["CiphertextBlob"]

    for role in ("PlanRole", "TeardownRole"):
        assert not is_allowed(project.client("kms", role), "decrypt", CiphertextBlob=secret)
        assert not is_allowed(
            project.client("kms", role), "encrypt", KeyId=encryption.kms_key, Plaintext=b"x"
        )
    assert is_allowed(project.client("kms", "PlanRole"), "describe_key", KeyId=encryption.kms_key)


def test_models_are_shared_and_data_are_not(project: DeployedProject) -> None:
    s3 = project.client("s3", "ServingRole", HOSTING_ACCOUNT)
    bucket = project.names.bucket

    assert is_allowed(s3, "get_object", Bucket=bucket, Key="autopilot/model.tar.gz")
    assert not is_allowed(s3, "get_object", Bucket=bucket, Key="datasets/a.csv")
    assert is_allowed(s3, "put_object", Bucket=bucket, Key="captured/production/a.jsonl", Body=b"x")
    assert not is_allowed(s3, "put_object", Bucket=bucket, Key="autopilot/model.tar.gz", Body=b"x")


@pytest.mark.parametrize(
    ("account", "key", "reads", "writes"),
    [
        (HOSTING_ACCOUNT, "autopilot/x/model.tar.gz", True, False),
        (HOSTING_ACCOUNT, "autopilot/x/train.csv", False, False),
        (HOSTING_ACCOUNT, "captured/production/a.jsonl", False, True),
        (HOSTING_ACCOUNT, "captured/staging/a.jsonl", False, False),
        (STAGING_ACCOUNT, "autopilot/x/model.tar.gz", True, False),
        (STAGING_ACCOUNT, "autopilot/x/train.csv", False, False),
        (STAGING_ACCOUNT, "captured/production/a.jsonl", False, False),
        (STAGING_ACCOUNT, "captured/staging/a.jsonl", False, False),
    ],
)
def test_another_account_has_the_archives_and_the_requests_of_its_environment(
    project: DeployedProject, account: str, key: str, reads: bool, writes: bool
) -> None:
    bucket = project.names.bucket
    project.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    s3 = project.client("s3", "ServingRole", account)

    assert is_allowed(s3, "get_object", Bucket=bucket, Key=key) is reads
    assert is_allowed(s3, "put_object", Bucket=bucket, Key=key, Body=b"x") is writes


def test_a_staging_account_has_nothing_of_the_registry(project: DeployedProject) -> None:
    version = project.names.arn("sagemaker", f"model-package/{project.name}/1")
    production = project.client("sagemaker", "ProductionRole", STAGING_ACCOUNT)

    assert not is_allowed(production, "describe_model_package", ModelPackageName=version)


@pytest.mark.parametrize(
    ("role", "serving", "passes"),
    [
        ("RetrainRole", "ServingRole", True),
        ("RetrainRole", "AutopilotRole", False),
        ("PromoteRole", "ServingRole", True),
        ("PromoteRole", "SageMakerExecutionRole", False),
        ("PromoteRole", "AutopilotRole", False),
    ],
)
def test_a_model_gets_the_role_that_only_reads(
    project: DeployedProject, role: str, serving: str, passes: bool
) -> None:
    environment = "staging" if role == "RetrainRole" else "production"
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{project.names.bucket}/autopilot/model.tar.gz"}

    allowed = is_allowed(
        project.client("sagemaker", role),
        "create_model",
        ModelName=f"{project.name}-{environment}-v9-{serving.lower()[:10]}",
        PrimaryContainer=container,
        ExecutionRoleArn=project.names.role_arn(f"{project.name}-{serving}"),
    )

    assert allowed is passes


def test_whether_an_archive_was_written_over_is_seen_without_reading_it(project: DeployedProject) -> None:
    s3 = project.client("s3", "PlanRole")

    assert is_allowed(s3, "list_object_versions", Bucket=project.names.bucket, Prefix="autopilot/")


EVERYBODY = {"Effect": "Allow", "Principal": {"AWS": STAGING_ACCOUNT}, "Action": "s3:*", "Resource": "*"}
OPENED = json.dumps({"Version": "2012-10-17", "Statement": [EVERYBODY]})
NOT_BLOCKED = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
)


@pytest.mark.parametrize(
    "role",
    [
        *("PlanRole", "RetrainRole", "PromoteRole", "TeardownRole", "DataScientistRole"),
        *("LambdaExecutionRole", "AutopilotRole", "SageMakerExecutionRole"),
    ],
)
@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("s3.put_bucket_policy", {"Bucket": "{bucket}", "Policy": OPENED}),
        ("s3.put_public_access_block", {"Bucket": "{bucket}", "PublicAccessBlockConfiguration": NOT_BLOCKED}),
        ("s3.delete_public_access_block", {"Bucket": "{bucket}"}),
        ("s3.put_bucket_acl", {"Bucket": "{bucket}", "ACL": "public-read"}),
        ("s3.delete_bucket_ownership_controls", {"Bucket": "{bucket}"}),
        (
            "sagemaker.put_model_package_group_policy",
            {"ModelPackageGroupName": "{project}", "ResourcePolicy": OPENED},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_role_opens_bucket_or_registry(
    project: DeployedProject, role: str, operation: str, parameters: dict[str, Any]
) -> None:
    service, method = operation.split(".")
    names = {"{bucket}": project.names.bucket, "{project}": project.name}
    given = {
        name: names.get(value, value) if isinstance(value, str) else value
        for name, value in parameters.items()
    }

    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        getattr(project.client(service, role), method)(**given)


@pytest.fixture(scope="module")
def taken(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedProject]:
    """A project whose bucket is another account's, which lets everybody in: it took the name once that was free."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(PROJECT)
        project = DeployedProject(local_aws, tmp_path_factory.mktemp("taken"), monkeypatch)
        bootstrap.deploy(project.sign_in())
        user = project.client("iam").create_user(UserName=f"{project.name}-anna")["User"]["Arn"]
        bootstrap.deploy_people(project.sign_in(), [user], "")
        bootstrap.deploy_hosting(project.sign_in(account=HOSTING_ACCOUNT), local_aws.account)
        bucket = project.names.bucket
        project.client("s3").delete_bucket(Bucket=bucket)
        s3 = project.client("s3", account="444444444444")
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": project.config.project.region}
        )
        s3.put_object(Bucket=bucket, Key="autopilot/model.tar.gz", Body=b"another's")
        everybody = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
        s3.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
        )
        yield project


@pytest.mark.parametrize(
    ("role", "key", "account"),
    [
        ("AutopilotRole", "autopilot/x", ""),
        ("DataScientistRole", "datasets/x", ""),
        ("LambdaExecutionRole", "autopilot/x/request.json", ""),
        ("PromoteRole", "deployments/x", ""),
        ("RetrainRole", "code/x", ""),
        ("SageMakerExecutionRole", "transforms/x", ""),
        ("ServingRole", "captured/production/x", ""),
        ("ServingRole", "captured/production/x", HOSTING_ACCOUNT),
    ],
)
def test_nothing_is_written_to_a_bucket_of_its_name_that_another_account_has(
    taken: DeployedProject, role: str, key: str, account: str
) -> None:
    # As a service does it, or somebody with the role, who expects no owner; what commands and functions call does.
    s3 = boto3.client("s3", **credentials(taken, role, account))

    assert not is_allowed(s3, "put_object", Bucket=taken.names.bucket, Key=key, Body=b"rows")


@pytest.mark.parametrize("account", ["", HOSTING_ACCOUNT])
def test_no_model_is_loaded_from_it(taken: DeployedProject, account: str) -> None:
    s3 = boto3.client("s3", **credentials(taken, "ServingRole", account))

    assert not is_allowed(s3, "get_object", Bucket=taken.names.bucket, Key="autopilot/model.tar.gz")


def credentials(project: DeployedProject, role: str, account: str) -> dict[str, str]:
    """What a client of boto3's own takes to act as a role."""
    given = project.aws.administrator(project.aws.account)
    names = Names(project.config, account or project.aws.account)
    given |= project.aws.assume(names.role_arn(f"{project.name}-{role}"))
    return {
        "endpoint_url": project.aws.url,
        "region_name": project.config.project.region,
        **{
            name.lower(): given[name]
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        },
    }


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("cloudformation.delete_stack", {"StackName": "{project}"}),
        ("s3.delete_bucket", {"Bucket": "{bucket}"}),
        ("s3.delete_bucket_policy", {"Bucket": "{bucket}"}),
        ("sagemaker.delete_model_package_group", {"ModelPackageGroupName": "{project}"}),
        ("sagemaker.delete_model_package_group_policy", {"ModelPackageGroupName": "{project}"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_retrains_removes_neither_bucket_nor_registry_to_make_them_anew(
    project: DeployedProject, operation: str, parameters: dict[str, str]
) -> None:
    service, method = operation.split(".")
    known = {"bucket": project.names.bucket, "project": project.name}
    given = {name: value.format(**known) for name, value in parameters.items()}

    assert not is_allowed(project.client(service, "RetrainRole"), method, **given)


def test_production_elsewhere_deploys_from_the_shared_registry(project: DeployedProject) -> None:
    version = project.names.arn("sagemaker", f"model-package/{project.name}/1")
    production = project.client("sagemaker", "ProductionRole", HOSTING_ACCOUNT)

    assert is_allowed(production, "describe_model_package", ModelPackageName=version)
    assert not is_allowed(
        production, "update_model_package", ModelPackageArn=version, ModelApprovalStatus="Approved"
    )
    assert is_allowed(
        production,
        "create_model",
        ModelName=f"{project.name}-production-v1-0000000000",
        PrimaryContainer={"ModelPackageName": version},
        ExecutionRoleArn=f"arn:aws:iam::{HOSTING_ACCOUNT}:role/{project.name}-ServingRole",
    )


@pytest.mark.parametrize(
    ("group", "stream", "allowed"),
    [
        ("/aws/sagemaker/ProcessingJobs", "pipelines-abcdefghijkl-EvaluateModel-x/algo-1-1", True),
        ("/aws/sagemaker/TransformJobs", "{project}-abcdefghijkl-candidate-1/i-1", True),
        # As accounts have been seen to name what Autopilot starts.
        ("/aws/sagemaker/TrainingJobs", "{project}-abcdefghijkl-dpp0-1-8dc6e39238ce47a4/algo-1-1", True),
        ("/aws/sagemaker/TrainingJobs", "{project}-abcdefghijkl-trial-t1-1/algo-1-1", True),
        ("/aws/sagemaker/ProcessingJobs", "{project}-abcdefghijkl-pr-1-413c3523dc0542d6/algo-1-1", True),
        ("/aws/sagemaker/ProcessingJobs", "{project}-abcdefghijkl-db-1-8fc3bb8155c645f2/algo-1-1", True),
        ("/aws/sagemaker/TrainingJobs", "another-project-abcdefghijkl-trial-t1-1/algo-1-1", False),
        ("/aws/sagemaker/TrainingJobs", "{project}-x-abcdefghijkl-trial-t1-1/algo-1-1", False),
        ("/aws/sagemaker/ProcessingJobs", "{project}-x-abcdefghijkl-pr-1-413c3523dc0542d6/algo-1-1", False),
        ("/aws/sagemaker/ProcessingJobs", "pipelines-abcdefghijkl-PrepareSalaries-x/algo-1-1", False),
        ("/aws/sagemaker/Endpoints/{project}-production", "AllTraffic/i-1", False),
    ],
)
def test_who_retrains_reads_the_logs_of_the_project_s_jobs(
    project: DeployedProject, group: str, stream: str, allowed: bool
) -> None:
    logs = project.client("logs", "RetrainRole")
    names = {
        "logGroupName": group.format(project=project.name),
        "logStreamName": stream.format(project=project.name),
    }

    assert is_allowed(logs, "get_log_events", **names) is allowed
    if allowed:
        prefix = {"logGroupName": names["logGroupName"], "logStreamNamePrefix": names["logStreamName"]}
        assert is_allowed(logs, "describe_log_streams", **prefix)


def test_who_retrains_reads_what_the_project_s_functions_print(project: DeployedProject) -> None:
    logs = project.client("logs", "RetrainRole")

    assert is_allowed(logs, "filter_log_events", logGroupName=f"/aws/lambda/{project.name}-register-model")
    assert not is_allowed(logs, "filter_log_events", logGroupName="/aws/lambda/another-function")
    assert not is_allowed(logs, "filter_log_events", logGroupName="/aws/sagemaker/ProcessingJobs")


@pytest.mark.parametrize("operation", ["success", "failure"])
def test_a_function_answers_whatever_callback_it_has_the_token_of(
    project: DeployedProject, operation: str
) -> None:
    # Of an unknown token the service says ValidationException, once IAM has let the call pass.
    answer = f"send_pipeline_execution_step_{operation}"

    assert is_allowed(project.client("sagemaker", "LambdaExecutionRole"), answer, CallbackToken="unknown123")
    assert not is_allowed(project.client("sagemaker", "RetrainRole"), answer, CallbackToken="unknown123")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("RetrainRole", True), ("TeardownRole", True), ("PlanRole", False), ("PromoteRole", False)],
)
def test_versions_are_listed_by_whoever_looks_for_one(
    project: DeployedProject, role: str, allowed: bool
) -> None:
    sagemaker = project.client("sagemaker", role)

    assert is_allowed(sagemaker, "list_model_packages", ModelPackageGroupName=project.name) is allowed


@pytest.mark.parametrize(("role", "allowed"), [("DataScientistRole", True), ("PromoteRole", False)])
@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("cloudformation.describe_stacks", {"StackName": "{project}"}),
        ("cloudformation.get_template", {"StackName": "{project}-services"}),
        ("sagemaker.describe_pipeline", {"PipelineName": "{project}"}),
        ("sagemaker.list_pipeline_executions", {"PipelineName": "{project}"}),
        ("sagemaker.describe_pipeline_execution", {"PipelineExecutionArn": "{execution}"}),
        ("sagemaker.list_pipeline_execution_steps", {"PipelineExecutionArn": "{execution}"}),
        ("sagemaker.list_pipeline_parameters_for_execution", {"PipelineExecutionArn": "{execution}"}),
        ("sagemaker.describe_auto_ml_job_v2", {"AutoMLJobName": "{project}-abcdefghijkl"}),
        ("sagemaker.list_candidates_for_auto_ml_job", {"AutoMLJobName": "{project}-abcdefghijkl"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_trainings_are_followed_by_people_and_not_by_who_promotes(
    project: DeployedProject, operation: str, parameters: dict[str, str], role: str, allowed: bool
) -> None:
    service, method = operation.split(".")
    execution = project.names.arn("sagemaker", f"pipeline/{project.name}/execution/abcdefghijkl")
    given = {
        name: text.format(project=project.name, execution=execution) for name, text in parameters.items()
    }

    assert is_allowed(project.client(service, role), method, **given) is allowed


# What Autopilot does to explain a model: developer guide, "CreateAutoMLJob API: Execution Role Permissions".
EXPLAINS = "arn:aws:sagemaker:{region}:{account}:endpoint/{}-abc-explain"
ITS_ROLE = "arn:aws:iam::{account}:role/{}-AutopilotRole"
VARIANT = {
    "VariantName": "AllTraffic",
    "ModelName": "abc-explain",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sagemaker", "create_model", {"ModelName": "{}-abc-explain", "ExecutionRoleArn": ITS_ROLE}),
        ("sagemaker", "describe_model", {"ModelName": "{}-abc-explain"}),
        (
            "sagemaker",
            "create_endpoint_config",
            {"EndpointConfigName": "{}-abc-explain", "ProductionVariants": [VARIANT]},
        ),
        ("sagemaker", "describe_endpoint_config", {"EndpointConfigName": "{}-abc-explain"}),
        (
            "sagemaker",
            "create_endpoint",
            {"EndpointName": "{}-abc-explain", "EndpointConfigName": "{}-abc-explain"},
        ),
        ("sagemaker", "describe_endpoint", {"EndpointName": "{}-abc-explain"}),
        ("sagemaker", "list_tags", {"ResourceArn": EXPLAINS}),
        ("sagemaker", "delete_endpoint", {"EndpointName": "{}-abc-explain"}),
        ("sagemaker", "delete_endpoint_config", {"EndpointConfigName": "{}-abc-explain"}),
        ("sagemaker", "delete_model", {"ModelName": "{}-abc-explain"}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "{}-abc-explain", "Body": b"1"}),
    ],
)
def test_autopilot_explains_a_model_and_cleans_up_behind_itself(
    project: DeployedProject, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    given = {
        name: value.format(project.name, account=project.aws.account, region=project.aws.region)
        if isinstance(value, str)
        else value
        for name, value in parameters.items()
    }

    assert is_allowed(project.client(service, "AutopilotRole"), operation, **given)
    # What the pipeline's jobs and the models run as has no business with endpoints.
    assert "endpoint" not in operation or not is_allowed(
        project.client(service, "SageMakerExecutionRole"), operation, **given
    )


@pytest.mark.parametrize(("role", "passes"), [("AutopilotRole", True), ("SageMakerExecutionRole", False)])
def test_a_function_gives_autopilot_its_own_role(project: DeployedProject, role: str, passes: bool) -> None:
    uri = f"s3://{project.names.bucket}/datasets/a.csv"
    job = {
        "AutoMLJobName": f"{project.name}-{role.lower()[:12]}",
        "AutoMLJobInputDataConfig": [
            {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{project.names.bucket}/autopilot"},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "target"}},
        "RoleArn": project.names.role_arn(f"{project.name}-{role}"),
    }

    allowed = is_allowed(project.client("sagemaker", "LambdaExecutionRole"), "create_auto_ml_job_v2", **job)

    assert allowed is passes


def test_production_finds_the_alarms_that_scale_it(project: DeployedProject) -> None:
    cloudwatch = project.client("cloudwatch", "PromoteRole")
    alarm = f"TargetTracking-endpoint/{project.name}-production/variant/AllTraffic-AlarmHigh-1"

    assert is_allowed(cloudwatch, "describe_alarms", AlarmNames=[alarm])
