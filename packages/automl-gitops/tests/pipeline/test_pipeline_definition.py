from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from making import ACCOUNT, BUCKET, automl_toml, lock

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs import definition
from automl_gitops.runs.bundle import Bundle
from support.project import PROJECT

pytest.importorskip("sagemaker.core", reason="the dependency group `definition` is not installed")

BUNDLE = Bundle({"evaluate.py": b"", "settings.json": b"{}"})
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0a1b"
SECURED = {
    "encryption": {"kms_key": KEY},
    "network": {"subnets": ["subnet-0a", "subnet-0b"], "security_groups": ["sg-0c"]},
    "project": {"tags": {"team": "ward 7", "cost-center": "12"}},
}


def build(champion: str = "", **changes: Any) -> dict[str, Any]:
    text = definition.build(Config.parse(automl_toml(**changes)), lock(), ACCOUNT, BUNDLE, champion)
    return json.loads(text)


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return build()


@pytest.fixture(scope="module")
def secured() -> dict[str, Any]:
    return build(**SECURED)


def steps(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All steps by name, those of the condition's branches too."""
    found = {step["Name"]: step for step in document["Steps"]}
    arguments = found["AcceptModel"]["Arguments"]
    return found | {step["Name"]: step for step in (*arguments["IfSteps"], *arguments["ElseSteps"])}


def references(value: Any) -> Iterator[str]:
    """Every `Get` within a part of the definition."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_steps_and_their_order(plain: dict[str, Any]) -> None:
    found = steps(plain)

    expected = {
        "StartAutopilot": "Lambda",
        "WaitForAutopilot": "Callback",
        "EvaluateModel": "Processing",
        "AcceptModel": "Condition",
        "RegisterModel": "Lambda",
        "RejectModel": "Fail",
    }
    assert [(name, step["Type"]) for name, step in found.items()] == [*expected.items()]
    assert found["WaitForAutopilot"]["DependsOn"] == ["StartAutopilot"]
    assert found["EvaluateModel"]["DependsOn"] == ["WaitForAutopilot"]
    assert found["AcceptModel"]["DependsOn"] == ["EvaluateModel"]


def test_every_parameter_changes_the_run(plain: dict[str, Any]) -> None:
    declared = {f"Parameters.{parameter['Name']}" for parameter in plain["Parameters"]}

    used = {name for name in references(plain["Steps"]) if name.startswith("Parameters.")}

    assert used == declared
    assert len(declared) == 17


def test_defaults_are_not_repeated_in_the_steps(plain: dict[str, Any]) -> None:
    """A step that holds a parameter's default would ignore what is given at start."""
    unlike = {"max_candidates": 613, "max_seconds": 6131, "max_seconds_per_training_job": 613}
    text = json.dumps(
        build(
            autopilot={"budget": unlike},
            gate={"minimum": 0.61327},
            evaluation={"instance_type": "ml.c5.9xlarge", "transform_instance_type": "ml.c4.8xlarge"},
        )["Steps"]
    )

    assert not [value for value in ("613", "0.61327", "ml.c5.9xlarge", "ml.c4.8xlarge") if value in text]


def test_references_exist(plain: dict[str, Any]) -> None:
    found = steps(plain)
    outputs = {
        f"Steps.{name}.OutputParameters['{output['OutputName']}']"
        for name, step in found.items()
        for output in step.get("OutputParameters", [])
    }

    used = {name for name in references(plain["Steps"]) if name.startswith("Steps.")}

    assert used - outputs == {"Steps.EvaluateModel.PropertyFiles.Evaluation"}
    assert found["EvaluateModel"]["PropertyFiles"] == [
        {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    ]


def test_defaults_come_from_the_files(plain: dict[str, Any]) -> None:
    defaults = {parameter["Name"]: parameter["DefaultValue"] for parameter in plain["Parameters"]}

    assert defaults["TrainValidationUri"] == lock().uris.train_validation
    assert (defaults["MaxCandidates"], defaults["GateThreshold"]) == (10, 0.3)
    assert (defaults["ChampionModelPackageArn"], defaults["CommitId"], defaults["RunUrl"]) == ("none",) * 3
    assert {parameter["Type"] for parameter in plain["Parameters"]} == {"String", "Integer", "Float"}


def test_rows_to_validate_on_are_the_default_of_their_parameter(plain: dict[str, Any]) -> None:
    uri = f"s3://{BUCKET}/datasets/0a/validation.csv"
    data = lock(uris=lock().uris.model_copy(update={"validation": uri}))
    apart = json.loads(definition.build(Config.parse(automl_toml()), data, ACCOUNT, BUNDLE, ""))

    for document, expected in ((plain, "none"), (apart, uri)):
        defaults = {parameter["Name"]: parameter["DefaultValue"] for parameter in document["Parameters"]}
        assert defaults["ValidationUri"] == expected
        given = steps(document)["StartAutopilot"]["Arguments"]
        assert given["validation_uri"] == {"Get": "Parameters.ValidationUri"}


def test_champion_is_the_default_of_its_parameter() -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/hospital/3"

    defaults = {parameter["Name"]: parameter["DefaultValue"] for parameter in build(arn)["Parameters"]}

    assert defaults["ChampionModelPackageArn"] == arn


def test_inferred_problem_has_neither_type_nor_objective() -> None:
    arguments = steps(build(autopilot={"problem_type": "infer", "objective": None}))["StartAutopilot"][
        "Arguments"
    ]

    assert (arguments["problem_type"], arguments["objective"]) == ("infer", "")


def test_what_autopilot_is_told_of_columns_and_algorithms(plain: dict[str, Any]) -> None:
    told = ("algorithms", "feature_specification", "weight")
    changes = {
        "dataset": {"weight": "w"},
        "autopilot": {"algorithms": ["lightgbm", "xgboost"], "types": {"ward": "text"}},
    }

    inputs = steps(build(**changes))["StartAutopilot"]["Arguments"]

    assert {key: steps(plain)["StartAutopilot"]["Arguments"][key] for key in told} == dict.fromkeys(told, "")
    assert {key: inputs[key] for key in told} == {
        "algorithms": "lightgbm,xgboost",
        "feature_specification": '{"FeatureDataTypes": {"ward": "text"}}',
        "weight": "w",
    }


def test_autopilot_runs_as_a_role_of_its_own(plain: dict[str, Any]) -> None:
    start, evaluate = (steps(plain)[name]["Arguments"] for name in ("StartAutopilot", "EvaluateModel"))

    assert start["role_arn"].endswith("-AutopilotRole")
    assert evaluate["RoleArn"].endswith("-SageMakerExecutionRole")


def test_security_is_left_out_where_it_is_not_configured(plain: dict[str, Any]) -> None:
    start, evaluate = (steps(plain)[name]["Arguments"] for name in ("StartAutopilot", "EvaluateModel"))

    assert [start[key] for key in ("kms_key", "subnets", "security_groups")] == [""] * 3
    assert "NetworkConfig" not in evaluate
    assert "KmsKeyId" not in evaluate["ProcessingOutputConfig"]
    assert "--kms-key" not in evaluate["AppSpecification"]["ContainerArguments"]


def test_the_evaluation_gets_the_validation_rows_where_they_choose_the_threshold(
    plain: dict[str, Any],
) -> None:
    chosen = build(
        autopilot={"problem_type": "BinaryClassification", "objective": "F1"},
        decision={"positive": "yes", "threshold": "validation"},
    )

    ours, others = (steps(document)["EvaluateModel"]["Arguments"] for document in (chosen, plain))
    inputs = {one["InputName"]: one["S3Input"] for one in ours["ProcessingInputs"]}
    place = inputs.pop("validation")
    assert place["S3Uri"] == {"Get": "Parameters.ValidationUri"}
    assert place["LocalPath"] == "/opt/ml/processing/input/validation"
    assert set(inputs) == {one["InputName"] for one in others["ProcessingInputs"]}
    arguments = ours["AppSpecification"]["ContainerArguments"]
    assert arguments[arguments.index("--validation") + 1] == place["LocalPath"]
    assert "--validation" not in others["AppSpecification"]["ContainerArguments"]


def test_what_a_run_makes_says_whose_it_is(plain: dict[str, Any]) -> None:
    start, evaluate = (steps(plain)[name]["Arguments"] for name in ("StartAutopilot", "EvaluateModel"))

    assert start["tags"] == "project=hospital"
    assert evaluate["Tags"] == [{"Key": "project", "Value": "hospital"}]


def test_key_network_and_tags_reach_training_and_evaluation(secured: dict[str, Any]) -> None:
    start, evaluate = (steps(secured)[name]["Arguments"] for name in ("StartAutopilot", "EvaluateModel"))

    assert [start[key] for key in ("kms_key", "subnets", "security_groups")] == [
        KEY,
        "subnet-0a,subnet-0b",
        "sg-0c",
    ]
    assert start["tags"] == "team=ward 7,cost-center=12,project=hospital"
    assert evaluate["NetworkConfig"]["VpcConfig"] == {
        "Subnets": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0c"]
    }  # fmt: skip
    assert evaluate["ProcessingOutputConfig"]["KmsKeyId"] == KEY
    assert evaluate["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == KEY
    tags = {"team": "ward 7", "cost-center": "12", "project": "hospital"}
    assert {tag["Key"]: tag["Value"] for tag in evaluate["Tags"]} == tags
    arguments = evaluate["AppSpecification"]["ContainerArguments"]
    assert arguments[arguments.index("--kms-key") + 1] == KEY


@pytest.mark.parametrize("which", ["plain", "secured"])
def test_processing_arguments_are_a_valid_request(which: str, request: pytest.FixtureRequest) -> None:
    """With values for references, CreateProcessingJob's own model accepts the step's arguments."""
    document = request.getfixturevalue(which)
    defaults = {f"Parameters.{item['Name']}": item["DefaultValue"] for item in document["Parameters"]}

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "Get" in value:
            return defaults.get(value["Get"], "abcdefghijkl")
        if "Std:Join" in value:
            return value["Std:Join"]["On"].join(str(resolve(part)) for part in value["Std:Join"]["Values"])
        return {key: resolve(part) for key, part in value.items()}

    arguments = resolve(steps(document)["EvaluateModel"]["Arguments"])
    model = ServiceModel(create_loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    shape = model.operation_model("CreateProcessingJob").input_shape
    report = ParamValidator().validate({"ProcessingJobName": "x", **arguments}, shape)

    assert not report.has_errors(), report.generate_report()
    assert all(len(argument) <= 256 for argument in arguments["AppSpecification"]["ContainerArguments"])


def test_the_evaluation_is_told_its_region(plain: dict[str, Any]) -> None:
    """The service sets AWS_REGION at most, and boto3 does not read that."""
    arguments = steps(plain)["EvaluateModel"]["Arguments"]

    assert arguments["Environment"] == {"AWS_DEFAULT_REGION": "eu-west-1"}


def test_code_is_named_by_its_hash(plain: dict[str, Any]) -> None:
    code = steps(plain)["EvaluateModel"]["Arguments"]["ProcessingInputs"][0]["S3Input"]

    assert code["S3Uri"] == f"s3://{BUCKET}/code/evaluation/{BUNDLE.sha256}/"
    assert code["LocalPath"] == "/opt/ml/processing/input/code"


def test_capacity_and_faults_are_tried_again(plain: dict[str, Any]) -> None:
    policies = steps(plain)["EvaluateModel"]["RetryPolicies"]

    assert {kind for policy in policies for kind in policy["ExceptionType"]} == {
        "Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
    }  # fmt: skip


def test_nothing_of_the_moment_is_in_it(plain: dict[str, Any]) -> None:
    text = json.dumps(plain)

    assert plain["PipelineExperimentConfig"] is None
    assert not re.search(r"20\d\d-\d\d-\d\d(?!\",)", text.replace("2020-12-01", ""))
    assert "unused" not in text


def test_unknown_container_is_named() -> None:
    with pytest.raises(
        UserError,
        match=r'\[evaluation\] container_version = "7.7-7" is no image in eu-west-1: '
        r"Unsupported sklearn version: 7\.7-7\. Supported",
    ):
        build(evaluation={"container_version": "7.7-7"})


def test_more_than_the_service_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "limits", lambda shape: (1, 1000))

    with pytest.raises(UserError, match="more than the 1000 that SageMaker takes"):
        build()


def test_the_process_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.session.Session(region_name="us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    before = dict(os.environ)

    build()

    assert dict(os.environ) == before
    assert boto3.DEFAULT_SESSION is session


def test_the_machine_s_files_for_the_sdk_change_nothing(
    plain: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("no: such setting")  # which the SDK would refuse
    for level in ("ADMIN", "USER"):
        monkeypatch.setenv(f"SAGEMAKER_{level}_CONFIG_OVERRIDE", str(file))

    assert build() == plain
    assert os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(file)


@pytest.mark.slow
def test_garbage_collector_and_validators_are_put_off_for_the_import_alone() -> None:
    code = (
        "import gc, pydantic\nfrom automl_gitops.runs import definition\n"
        "with definition.alone('eu-west-1'):\n"
        "    from sagemaker.core.shapes import Tag\n"
        "    print(gc.isenabled(), gc.get_freeze_count() > 100_000)\n"
        "    print(not Tag.__pydantic_complete__, Tag(key='a', value='b').value == 'b')\n"
        "    print(type('Later', (pydantic.BaseModel,), {}).__pydantic_complete__)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert set(told.stdout.split()) == {"True"}


def test_no_call_leaves_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert build()["Version"] == "2020-12-01"


_SCRIPT = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("the network was used")
socket.socket.connect = socket.getaddrinfo = refuse
sys.path[:0] = sys.argv[1:3]
from making import ACCOUNT, BUCKET, automl_toml, lock
from automl_gitops.runs import definition
from automl_gitops.runs.bundle import Bundle
from automl_gitops.kernel.config import Config
bundle = Bundle({"evaluate.py": b"", "settings.json": b"{}"})
sys.stdout.write(definition.build(Config.parse(automl_toml()), lock(), ACCOUNT, bundle))
"""


def test_another_process_without_credentials_makes_the_same_bytes(
    plain: dict[str, Any], tmp_path: Path
) -> None:
    here = Path(__file__).parent
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONHASHSEED"
    }

    made = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(here), str(PROJECT)],
        env={**environment, "HOME": str(tmp_path), "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert made.returncode == 0, made.stderr.decode()
    assert made.stdout.decode() == json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    assert made.stderr == b""
