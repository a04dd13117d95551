"""The plan's look at AWS: what is deployed, against the working tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import ACCOUNT, BUCKET, CHAMPION, lock

from automl_gitops.kernel.environments import ROLE_VARIABLES
from automl_gitops.plan.changes import Change
from automl_gitops.plan.deployed import PRODUCTION_ROLE, look
from automl_gitops.runs.project import Project
from automl_gitops.runs.upsert import describe
from automl_gitops.stacks.stack import zip_functions
from support.stubbed_aws import StubbedAws

STACK = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: {VisibilityTimeout: 360}\n"
DATA = lock().uris.train_validation.removeprefix(f"s3://{BUCKET}/")


class _SignedIn:
    def get_credentials(self) -> object:
        return object()


@pytest.fixture
def aws(folder: Path) -> StubbedAws:
    (folder / "infrastructure").mkdir()
    for name in ("stack", "bootstrap", "services"):
        (folder / "infrastructure" / f"{name}.yaml").write_text(STACK)
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text('model_package_arn = ""\n')
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").write_text("")
    lock().save(folder / "dataset.lock")
    stubbed = StubbedAws()
    stubbed.session = _SignedIn()
    data(stubbed, DATA)
    return stubbed


@pytest.fixture
def project(aws: StubbedAws) -> Project:
    project = Project()
    project.__dict__["aws"] = aws
    return project


def stacks(
    aws: StubbedAws, parameters: dict[str, dict[str, str]] | None = None, **templates: str | None
) -> None:
    for name in ("hospital", "hospital-bootstrap", "hospital-services"):
        template = templates.get(name.removeprefix("hospital").strip("-") or "stack", STACK)
        if template is None:
            aws["cloudformation"].add_client_error(
                "describe_stacks", "ValidationError", f"{name} does not exist"
            )
            continue
        told = {"StackName": name, "CreationTime": 0, "StackStatus": "UPDATE_COMPLETE"}
        told["Parameters"] = [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in (parameters or {}).get(name, {}).items()
        ]
        aws["cloudformation"].add_response("describe_stacks", {"Stacks": [told]}, {"StackName": name})
        aws["cloudformation"].add_response("get_template", {"TemplateBody": template}, {"StackName": name})


def data(aws: StubbedAws, *keys: str) -> None:
    aws["s3"].add_response(
        "list_objects_v2", {"Contents": [{"Key": key} for key in keys]}, {"Bucket": BUCKET, "Prefix": DATA}
    )


def no_endpoint(aws: StubbedAws) -> None:
    aws["sagemaker"].add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")


def test_nothing_is_there_yet(project, aws):
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    stacks(aws, stack=None, bootstrap=None, services=None)
    no_endpoint(aws)

    found = look(project, has_data=True)

    assert (found.reason, found.pipeline, found.production) == ("", "absent", "")
    assert found.stacks == dict.fromkeys(("hospital", "hospital-bootstrap", "hospital-services"), "absent")
    aws.check()


@pytest.mark.parametrize(("gone", "said"), [(True, "is not in the registry"), (False, "")])
def test_a_version_that_git_names_is_looked_for_in_the_registry(project, aws, folder, gone, said):
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{CHAMPION}"\n')
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    stacks(aws, stack=None, bootstrap=None, services=None)
    if gone:
        words = f"ModelPackage {CHAMPION} does not exist."
        aws["sagemaker"].add_client_error("describe_model_package", "ValidationException", words)
    else:
        told = {
            "ModelPackageName": "hospital",
            "ModelPackageArn": CHAMPION,
            "CreationTime": 0,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
        }
        aws["sagemaker"].add_response("describe_model_package", told, {"ModelPackageName": CHAMPION})
    no_endpoint(aws)

    found = look(project, has_data=True)

    assert (found.reason, found.named) == ("", CHAMPION)
    assert said in found.problem
    assert bool(found.problem) is gone
    aws.check()


def test_data_that_are_gone_are_told(project, aws):
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    stacks(aws, stack=None, bootstrap=None, services=None)
    no_endpoint(aws)
    del aws.stubbers["s3"]
    data(aws, f"{DATA}.part")

    found = look(project, has_data=True)

    said = f"dataset.lock: s3://{BUCKET}/{DATA} is not in this account: run `automl data push FILE`"
    assert (found.reason, found.lost, found.document()["data_problem"]) == ("", said, said)
    aws.check()


def test_a_stack_that_differs_is_told_by_resource(project, aws):
    description = describe(project)
    aws["sagemaker"].add_response(
        "describe_pipeline", {"PipelineDescription": description, "PipelineDefinition": "{}"}
    )
    stacks(aws, stack=STACK.replace("360", "30"), services=STACK.replace("360", "60"))
    no_endpoint(aws)

    found = look(project, has_data=True)

    assert found.pipeline == "current"
    assert found.stacks == {
        "hospital": "outdated",
        "hospital-bootstrap": "UPDATE_COMPLETE",
        "hospital-services": "outdated",
    }
    assert found.stack_changes == {
        "hospital": [Change("Queue.Properties.VisibilityTimeout", 30, 360)],
        "hospital-services": [Change("Queue.Properties.VisibilityTimeout", 60, 360)],
    }


KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
ALIAS = "alias/hospital"


@pytest.mark.parametrize(("named", "known"), [(KEY, KEY), (ALIAS, KEY), (ALIAS, "")])
def test_a_stack_s_parameters_that_would_change_are_shown(project, aws, folder, named, known):
    """A key that the role of pull requests may not look up yet stands there as automl.toml names it."""
    with (folder / "automl.toml").open("a") as file:
        file.write(f'\n[encryption]\nkms_key = "{named}"\n')
    (folder / "lambdas").mkdir()
    (folder / "lambdas" / "start.py").write_text("")
    (folder / "infrastructure" / "stack.yaml").write_text(
        f"Parameters:\n  StartCode:\n    Type: String\n{STACK}"
    )
    (code,) = zip_functions((folder / "infrastructure" / "stack.yaml").read_text())
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    if named == ALIAS:
        if known:
            aws["kms"].add_response(
                "describe_key", {"KeyMetadata": {"KeyId": "1", "Arn": KEY}}, {"KeyId": ALIAS}
            )
        else:
            aws["kms"].add_client_error("describe_key", "AccessDeniedException", "not authorized")
    old = {"Project": "hospital", "KmsKeyArn": "", "EndpointInstanceTypes": "ml.m5.large"}
    stacks(
        aws,
        {
            "hospital": {"StartCode": code.key, "KmsKeyArn": "", "HostingAccounts": "222222222222"},
            "hospital-bootstrap": old,
            "hospital-services": {"UsesVpc": "false", "UsesKmsKey": "true"},
        },
        stack=(folder / "infrastructure" / "stack.yaml").read_text(),
    )
    no_endpoint(aws)

    deployed = look(project, has_data=True)

    assert deployed.reason == ""
    change = [Change("Parameters.KmsKeyArn", "", known or ALIAS)]
    assert deployed.stack_changes == {"hospital": change, "hospital-bootstrap": change}
    assert deployed.stacks["hospital-services"] == "UPDATE_COMPLETE"


def test_a_function_s_new_code_is_a_parameter_that_changes(project, aws, folder):
    (folder / "lambdas").mkdir()
    (folder / "lambdas" / "start.py").write_text("CHANGED = True\n")
    template = f"Parameters:\n  StartCode:\n    Type: String\n{STACK}"
    (folder / "infrastructure" / "stack.yaml").write_text(template)
    (code,) = zip_functions(template)
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    stacks(aws, {"hospital": {"StartCode": "code/lambdas/start-0.zip"}}, stack=template)
    no_endpoint(aws)

    deployed = look(project, has_data=True)

    assert deployed.stack_changes == {
        "hospital": [Change("Parameters.StartCode", "code/lambdas/start-0.zip", code.key)]
    }


def test_production_is_known_by_its_model_s_tag(project, aws):
    aws["sagemaker"].add_response(
        "describe_pipeline", {"PipelineDescription": "by hand", "PipelineDefinition": "{}"}
    )
    stacks(aws)
    base = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"
    time = {"CreationTime": 0}
    aws["sagemaker"].add_response(
        "describe_endpoint",
        {
            "EndpointName": "hospital-production",
            "EndpointArn": f"{base}:endpoint/hospital-production",
            "EndpointConfigName": "config",
            "EndpointStatus": "InService",
            "LastModifiedTime": 0,
            **time,
        },
    )
    aws["sagemaker"].add_response(
        "describe_endpoint_config",
        {
            "EndpointConfigName": "config",
            "EndpointConfigArn": f"{base}:endpoint-config/config",
            "ProductionVariants": [{"VariantName": "a", "ModelName": "model"}],
            **time,
        },
    )
    aws["sagemaker"].add_response(
        "describe_model", {"ModelName": "model", "ModelArn": f"{base}:model/model", **time}
    )
    aws["sagemaker"].add_response("list_tags", {"Tags": [{"Key": "model-package-arn", "Value": CHAMPION}]})

    found = look(project, has_data=True)

    assert (found.pipeline, found.production, found.named) == ("outdated", CHAMPION, "")
    aws.check()


def test_production_in_another_account_is_not_looked_for_in_this_one(project, aws, monkeypatch):
    monkeypatch.setenv(PRODUCTION_ROLE, "arn:aws:iam::210987654321:role/hospital-ProductionRole")
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    stacks(aws)

    found = look(project, has_data=True)

    assert (found.reason, found.production, found.elsewhere) == ("", "", "210987654321")
    assert found.document()["production"]["account"] == "210987654321"
    aws.check()


def test_a_role_in_this_account_changes_nothing(project, aws, monkeypatch):
    monkeypatch.setenv(PRODUCTION_ROLE, f"arn:aws:iam::{ACCOUNT}:role/hospital-ProductionRole")
    aws["sagemaker"].add_client_error("describe_pipeline", "ResourceNotFound", "does not exist")
    stacks(aws)
    no_endpoint(aws)

    assert look(project, has_data=True).elsewhere == ""
    aws.check()


def test_the_role_s_variable_is_that_of_deployment():
    assert ROLE_VARIABLES["production"] == PRODUCTION_ROLE


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "not allowed to call DescribePipeline"),
        ("ExpiredTokenException", "credentials"),
    ],
)
def test_what_aws_refuses_is_a_sentence_of_the_plan(project, aws, code, words):
    aws["sagemaker"].add_client_error("describe_pipeline", code, "no")

    assert words in look(project, has_data=True).reason


def test_the_bucket_of_the_tests_is_the_project_s(project):
    assert project.names.bucket == BUCKET
