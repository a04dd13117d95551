"""What holds for the templates before anything is deployed."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from cfnlint.helpers import load_resource
from templates import FOLDER, PROJECT, VALUES, as_list, load, plain, policy_documents, resources

from automl_gitops.kernel.derived_names import endings
from local_sagemaker.authorization.conditions import arn_matches

TEMPLATES = sorted(path.name for path in FOLDER.glob("*.yaml"))
ROLES = sorted(name for name in TEMPLATES if resources(load(name), "AWS::IAM::Role"))
POLICIES = [
    pytest.param(document["Statement"], id=f"{file}:{policy}")
    for file in ROLES
    for policy, document in policy_documents(load(file))
]
# Statements for every resource, each with the reason that its comment in the template gives.
UNSCOPED = {
    "NeverApprove",  # a Deny, as the next two
    "LeaveAloneWhatIsAnothers",
    "OpenNothing",
    "WriteNothingElsewhere",
    "WriteMetrics",
    "CountWrongAnswers",
    "SignInForImages",
    "AnswerCallbackSteps",
    "LookAtTheAccount",
    "ListCandidates",
    "ListByName",
    "ConnectQueueAndFunction",
    "DisconnectQueueAndFunction",
    "FindLogGroups",
    "FindLogs",
    "AttachToVpc",
}
# Statements beyond the project's own names within one account.
WIDER = {
    "WriteLogs",
    "ReadLogsOfJobs",
    "PullImages",
    "LookForTheImage",
    "SeeImages",
    "RunJobs",
    "ExplainModels",
    "LeaveAloneWhatIsNotAutopilots",  # a Deny, as the next
    "LeaveAloneOthersLogs",
    "TagMappings",
    "Scale",
    "RemoveScaling",
    "LetTheServiceScale",
    "UseKey",
    "FindKey",
    "ReadEncryptedReports",
    "EncryptVolumes",
    "FindDataByReference",
    "ReadDataByReference",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_has_nothing_to_say(name: str) -> None:
    matches = cfnlint.api.lint((FOLDER / name).read_text())

    assert [str(match) for match in matches] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_fits_into_a_request(name: str) -> None:
    # CreateStack takes 51,200 bytes as its TemplateBody: 4,700 are left for what owners add.
    assert len((FOLDER / name).read_bytes()) < 46_500


@pytest.mark.parametrize("statements", POLICIES)
def test_no_action_is_a_wildcard(statements: list[dict[str, Any]]) -> None:
    assert [a for s in statements if s["Effect"] == "Allow" for a in as_list(s["Action"]) if "*" in a] == []


@pytest.mark.parametrize("statements", POLICIES)
def test_resources_are_the_projects(statements: list[dict[str, Any]]) -> None:
    unscoped = {s["Sid"] for s in statements if as_list(s["Resource"]) == ["*"]}
    wider = {
        s["Sid"]
        for s in statements
        if any(not re.search(rf"[:/]{PROJECT}([/:*-]|$)", arn) for arn in as_list(s["Resource"]))
    }

    assert unscoped <= UNSCOPED
    assert wider - unscoped <= WIDER


@pytest.mark.parametrize("statements", POLICIES)
def test_every_action_applies_to_a_resource_of_its_statement(statements: list[dict[str, Any]]) -> None:
    # What IAM would ignore without a word: an action that never meets one of the resources beside it.
    unreachable = [
        (statement["Sid"], action)
        for statement in statements
        if as_list(statement["Resource"]) != ["*"] and statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        if not any(
            re.match(pattern, arn)
            for pattern in _resource_patterns(*action.split(":"))
            for arn in as_list(statement["Resource"])
        )
    ]

    assert unreachable == []


@cache
def _resource_patterns(service: str, operation: str) -> list[str]:
    """The ARNs that an action applies to, as the service authorization reference lists them."""
    known = _reference()[service]
    formats = {kind.lower(): resource["ARNFormats"] for kind, resource in known["Resources"].items()}
    kinds = known["Actions"][operation.lower()].get("Resources", [])
    return [re.sub(r"\$\{\w+\}", ".*", form) for kind in kinds for form in formats[kind.lower()]]


@cache
def _reference() -> dict[str, Any]:
    return load_resource("cfnlint.data.AdditionalSpecs", "Policies.json")


@pytest.mark.parametrize("statements", POLICIES)
def test_a_role_is_passed_to_one_service_only(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        if "iam:PassRole" in as_list(statement["Action"]):
            service = statement["Condition"]["StringEquals"]["iam:PassedToService"]
            assert service in ("lambda.amazonaws.com", "sagemaker.amazonaws.com")
            assert "*" not in statement["Resource"]


@pytest.mark.parametrize("file", ["bootstrap.yaml", "people.yaml", "services.yaml"])
def test_data_by_reference_is_only_read(file: str) -> None:
    statements = [s for _, document in policy_documents(load(file)) for s in document["Statement"]]

    granted = {
        (arn.startswith("arn:aws:s3:::lake-") and arn.endswith("/*"), action)
        for statement in statements
        for arn in as_list(statement["Resource"])
        if "lake-" in arn
        for action in as_list(statement["Action"])
    }

    known = {(False, "s3:ListBucket")}  # the workflows see that such data are there; they do not read them
    if file != "bootstrap.yaml":
        known.add((True, "s3:GetObject"))
    if file == "services.yaml":
        known.add((False, "s3:GetBucketLocation"))
    assert granted == known


@pytest.mark.parametrize("file", ROLES)
@pytest.mark.parametrize("where", [("aws", "ap-southeast-1"), ("aws-us-gov", "us-gov-west-1")], ids=" ".join)
def test_policies_are_within_iams_sizes(
    file: str, where: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the longest names that there can be.
    longest = {"Project": "p" * 19, "AWS::Partition": where[0], "AWS::Region": where[1]}
    for name, value in longest.items():
        monkeypatch.setitem(VALUES, name, value)
    for name in ("FunctionArns", "FunctionLogArns"):
        arns = [
            arn.replace("arn:aws:", f"arn:{where[0]}:")
            .replace("eu-west-1", where[1])
            .replace(PROJECT, "p" * 19)
            for arn in VALUES[name]
        ]
        monkeypatch.setitem(VALUES, name, arns)
    template = load(file)
    managed = resources(template, "AWS::IAM::ManagedPolicy")
    roles = resources(template, "AWS::IAM::Role")

    # Without white space: 6,144 characters in a managed policy, 10,240 in all inline policies of a role.
    sizes = {
        name: _size(plain(properties["PolicyDocument"], template)) for name, properties in managed.items()
    }
    inline = {
        name: sum(_size(plain(p["PolicyDocument"], template)) for p in properties.get("Policies", []))
        for name, properties in roles.items()
    }

    assert {name: size for name, size in sizes.items() if size > 6_144} == {}
    assert {name: size for name, size in inline.items() if size > 10_240} == {}


def _size(document: dict[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize(
    ("file", "expected"),
    [("bootstrap.yaml", {"PromoteRole"}), ("services.yaml", set()), ("hosting.yaml", set())],
)
def test_only_the_production_role_may_approve(file: str, expected: set[str]) -> None:
    template = load(file)
    documents = {name: document for name, document in policy_documents(template) if "." in name}
    for source in dict.fromkeys([file, *(["bootstrap.yaml"] if file == "services.yaml" else [])]):
        documents |= _managed(source)
    approving = {"sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"}

    able = set()
    for role, properties in resources(template, "AWS::IAM::Role").items():
        attached = plain(properties["ManagedPolicyArns"], template)
        inline = [f"{role}.{policy['PolicyName']}" for policy in properties.get("Policies", [])]
        statements = [s for name in [*attached, *inline] for s in documents[name]["Statement"]]
        allowed = {a for s in statements if s["Effect"] == "Allow" for a in as_list(s["Action"])}
        denied = {a for s in statements if s["Sid"] == "NeverApprove" for a in as_list(s["Action"])}
        able |= {role} if (allowed - denied) & approving else set()

    assert able == expected


ALL = ("Limits", "NeverApprove", "Key")  # of bootstrap.yaml


def _managed(file: str) -> dict[str, dict[str, Any]]:
    """The managed policies that a template makes, by ARN."""
    template = load(file)
    return {
        f"arn:aws:iam::123456789012:policy/{plain(properties['ManagedPolicyName'], template)}": plain(
            properties["PolicyDocument"], template
        )
        for properties in resources(template, "AWS::IAM::ManagedPolicy").values()
    }


@pytest.mark.parametrize(
    ("file", "role", "policies"),
    [
        ("people.yaml", "DataScientistRole", {"Limits", "Read", "NeverApprove", "Key"}),
        ("services.yaml", "LambdaExecutionRole", {"Limits", "NeverApprove", "Key"}),
        ("services.yaml", "SageMakerExecutionRole", {*ALL, "Containers", "Jobs", "Network"}),
        ("services.yaml", "AutopilotRole", {*ALL, "Containers", "Jobs", "Network"}),
        ("services.yaml", "ServingRole", {*ALL, "Containers", "Network"}),
    ],
)
def test_what_comes_behind_the_bootstrap_shares_its_policies(
    file: str, role: str, policies: set[str]
) -> None:
    template = load(file)
    made = {**_managed("bootstrap.yaml"), **_managed(file)}

    attached = plain(resources(template, "AWS::IAM::Role")[role]["ManagedPolicyArns"], template)

    assert set(attached) <= set(made)
    assert {arn.rsplit("-", 1)[-1] for arn in attached} == policies


@pytest.mark.parametrize(
    ("file", "role"),
    [
        ("services.yaml", "SageMakerExecutionRole"),
        ("services.yaml", "AutopilotRole"),
        ("services.yaml", "ServingRole"),
        ("hosting.yaml", "ServingRole"),
    ],
)
def test_sagemaker_acts_for_this_account_alone(file: str, role: str) -> None:
    template = load(file)
    trust = plain(resources(template, "AWS::IAM::Role")[role]["AssumeRolePolicyDocument"], template)
    (statement,) = trust["Statement"]

    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize(("file", "policy"), [("bootstrap.yaml", "KeyPolicy"), ("hosting.yaml", "")])
def test_whoever_uses_the_key_may_encrypt_with_it(file: str, policy: str) -> None:
    statements = [
        statement
        for name, document in policy_documents(load(file))
        for statement in document["Statement"]
        if name.startswith(policy) and statement["Sid"] == "UseKey"
    ]

    assert statements
    for statement in statements:
        # Autopilot needs the first for its output; S3 re-encrypts what is copied.
        assert {"kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"} <= set(statement["Action"])


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_resource_bears_the_projects_name(name: str) -> None:
    names = re.findall(
        r"^      (?:\w+Name|RoleName): !(?:Sub|Ref) \"?(\S+?)\"?$", Path(FOLDER / name).read_text(), re.M
    )

    assert names
    assert [n for n in names if "${Project}" not in n and n not in ("Project", "CheckAutopilot")] == []


@pytest.mark.parametrize(
    ("role", "subjects"),
    [
        ("PlanRole", ["repo:owner/name:pull_request", "repo:owner/name:ref:refs/heads/main"]),
        ("RetrainRole", ["repo:owner/name:ref:refs/heads/main"]),
        ("PromoteRole", ["repo:owner/name:environment:production"]),
        ("TeardownRole", ["repo:owner/name:environment:teardown"]),
    ],
)
def test_github_signs_in_with_exact_subjects(role: str, subjects: list[str]) -> None:
    template = load("bootstrap.yaml")
    trust = plain(template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"], template)
    (statement,) = trust["Statement"]
    issuer = "token.actions.githubusercontent.com"

    assert statement["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{issuer}"}
    assert list(statement["Condition"]) == ["StringEquals"]
    condition = statement["Condition"]["StringEquals"]
    assert condition[f"{issuer}:aud"] == "sts.amazonaws.com"
    assert as_list(condition[f"{issuer}:sub"]) == subjects
    assert len(condition) == 2


def test_every_name_that_a_template_gives_is_refused_to_other_projects() -> None:
    given = {
        name.lower()
        for template in TEMPLATES
        for name in re.findall(
            r'^ +(?:Role|Function|Queue)Name: !Sub "\$\{Project\}-([\w-]+)"$',
            (FOLDER / template).read_text(),
            re.MULTILINE,
        )
    }

    assert "start-autopilot" in given
    assert given <= endings()


# Where a name cannot say whose something is: see `test_other_projects`.
BY_TAG = {"RunJobs", "ExplainModels", "TagMappings", "Scale", "RemoveScaling"}


@pytest.mark.parametrize(
    "other",
    [
        "ab1-x",
        "ab1-staging-x",
        "ab1-production-x",
        "ab1-abcdefghijkl",
        "ab1-abcdefghijkl-t1",
        "ab1-abcdefghijkl-pr",
        "ab1-x-candidate",
    ],
)
@pytest.mark.parametrize("file", ROLES)
def test_no_pattern_reaches_a_project_whose_name_begins_with_this_one_s(
    file: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VALUES.items():
        own = [one.replace(PROJECT, "ab1") for one in as_list(value)]
        monkeypatch.setitem(VALUES, name, own if isinstance(value, list) else own[0])
    patterns = {
        (statement["Sid"], pattern)
        for policy, document in policy_documents(load(file))
        if not policy.startswith("AutopilotRole")  # whose names are Autopilot's
        for statement in document["Statement"]
        if statement["Effect"] == "Allow" and statement["Sid"] not in BY_TAG
        for pattern in as_list(statement["Resource"])
        if pattern != "*"
    }

    reached = [
        (sid, pattern, arn)
        for sid, pattern in sorted(patterns)
        for arn in names_of(other)
        if arn_matches(pattern, arn)
    ]

    assert reached == []


@cache
def names_of(project: str) -> list[str]:
    """The ARNs of what the roles of a project call, without those that do not name it."""
    accounts = ("Account", "ProjectAccount", "StagingAccount", "ProductionAccount")
    known = dict.fromkeys(accounts, "123456789012")
    known |= {"Project": project, "Region": "eu-west-1", "Partition": "aws"}
    calls = json.loads((FOLDER / "calls.json").read_text())["roles"]
    arns = {call["resource"] for called in calls.values() for call in called}
    return sorted(
        re.sub(r"\$\{(\w+)\}", lambda match: known.get(match[1], match[0]), arn)
        for arn in arns
        if "${Project}" in arn
    )
