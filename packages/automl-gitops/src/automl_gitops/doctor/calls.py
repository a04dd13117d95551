"""The calls that each role makes in a model's life: infrastructure/calls.json.

The template's maintainers record that file from a life on the local AWS (`make calls`); a project's owner adds the
calls of what they change. What differs each time (ids, times, version numbers) stands there as zeros, and the project's
own values as `${Project}`, `${Account}`, `${Region}` and the like. It was a life with a KMS key; a project
without one makes none of the calls to KMS. It went on with staging and production in accounts of their own: the roles
there have `hosting-` before their names, and `${Account}` is theirs.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.service import partition

FILE = Path("infrastructure/calls.json")
HOSTING = "hosting-"  # before the name of a role of infrastructure/hosting.yaml
# By whose account another one is told, in the record of a life.
_ACCOUNTS = {
    "RetrainRole": "ProjectAccount",
    "StagingRole": "StagingAccount",
    "ProductionRole": "ProductionAccount",
}
_EXECUTION = re.compile(r"(?:/execution/|:pipelines-|/pipelines-)(\w+)")
_PASSING_PARTS = (
    (re.compile(r"(?<=-v)\d+-[0-9a-f]{10}"), "1-0000000000"),
    (re.compile(r"(model-package/[^/]+/)\d+$"), r"\g<1>1"),
    (re.compile(r"(?<=-EvaluateModel-)\w+"), "0000000000"),
    (re.compile(r"(?<=-candidate-)\d+"), "1"),
    (re.compile(r"(?<=-)\w*(?=-explain$)"), "0"),
    (re.compile(r"(?<=/algo-1-)\d+"), "0000000000"),
    (re.compile(r"(?<=0000-trial-t)\d+-\d+"), "1-1"),
    (re.compile(r"(?<=log-stream:)\d{4}/\d\d/\d\d/\[\$LATEST\]\w+"), "0000/00/00/[$LATEST]0"),
    (re.compile(r"(?<=/i-)[0-9a-f]+"), "00000000000000000"),
    (re.compile(r"(scalable-target/)[0-9a-z]{36}$"), r"\g<1>*"),
    (re.compile(r"(event-source-mapping:)[0-9a-f-]{36}"), r"\g<1>00000000-0000-0000-0000-000000000000"),
    (re.compile(r"(:stack/[^/]+)/[0-9a-f-]{36}"), r"\g<1>/*"),
)
_OBJECT = re.compile(r"(arn:[^:]+:s3:::[^/]+/(?:captured/production|[^/]+)/)(.+)")
# A condition key says something of a call where it is its service's; these say what it is this time.
_PASSING = re.compile(r"s3:|sagemaker:customermetadataproperties|sagemaker:volumekmskey|sts:")
_KEY = "${KmsKey}"
_TYPES = {
    "processing-job": "${EvaluationInstanceType}",
    "transform-job": "${TransformInstanceType}",
}


@dataclass(frozen=True, order=True)
class Call:
    """One action of a role on a resource (`*` for none), with the condition keys that say more of it."""

    role: str
    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON, without the role."""
        document: dict[str, Any] = {"action": self.action, "resource": self.resource}
        return document | (
            {"context": {key: list(values) for key, values in self.context}} if self.context else {}
        )


def load(*, hosting: bool = False) -> list[Call]:
    """The calls of every role in the project's account, as the file has them; with ``hosting`` those of the roles in
    accounts of staging and production alone.
    """
    document = json.loads(read_text(FILE))
    return [
        Call(role, one["action"], one["resource"], _frozen(one.get("context", {})))
        for role, calls in document["roles"].items()
        for one in calls
        if role.startswith(HOSTING) == hosting
    ]


def dump(calls: Iterable[Call]) -> str:
    """The file's text: a call a line, so that a change is read at a glance."""
    by_role: dict[str, list[Call]] = {}
    for call in sorted(set(calls)):
        by_role.setdefault(call.role, []).append(call)
    blocks = [
        f"    {json.dumps(role)}: [\n"
        + ",\n".join(f"      {json.dumps(call.document())}" for call in calls_of_role)
        + "\n    ]"
        for role, calls_of_role in by_role.items()
    ]
    about = (
        "Recorded from a model's life on the local AWS. It comes with the template, whose updates renew it; "
        "for a role that you change, add its new calls here."
    )
    return f'{{\n  "about": {json.dumps(about)},\n  "roles": {{\n' + ",\n".join(blocks) + "\n  }\n}\n"


def recorded(lines: Iterable[str], project: str) -> set[Call]:
    """The calls of a project's roles in the local AWS's record of one region: in the project's account, which is that
    of its RetrainRole, and in those of staging and production.
    """
    noted = [json.loads(line) for line in lines]
    executions = {found for one in noted for found in _EXECUTION.findall(one["resource"])}
    acting = {tuple(one["role"].split(":", 4)[4].split(f":role/{project}-")) for one in noted}
    accounts = {one[0]: _ACCOUNTS[one[1]] for one in acting if one[1:] and one[1] in _ACCOUNTS}
    calls = (_call(one, project, executions, accounts) for one in noted)
    return {call for call in calls if call}


def _call(
    noted: Mapping[str, Any], project: str, executions: set[str], accounts: Mapping[str, str]
) -> Call | None:
    account, _, name = noted["role"].split(":", 4)[4].partition(":role/")
    if not name.startswith(f"{project}-"):
        return None

    def general(text: str) -> str:
        for execution in executions:
            text = text.replace(execution, "000000000000")
        return _generalised(text, project, {**accounts, account: "Account"})

    role, action = name.removeprefix(f"{project}-"), noted["action"]
    if accounts.get(account, "ProjectAccount") != "ProjectAccount":
        role = HOSTING + role
    service = action.partition(":")[0]
    resource = _KEY if service == "kms" else general(noted["resource"])
    context = {
        key: [general(value) for value in values]
        for key, values in noted["context"].items()
        if key.startswith(f"{service}:") and not _PASSING.match(key)
    }
    if "sagemaker:instancetypes" in context:
        context["sagemaker:instancetypes"] = [_instance_type(resource)]
    return Call(role, action, resource, _frozen(context))


def _instance_type(resource: str) -> str:
    by_endpoint = "${ProductionInstanceType}" if "-production" in resource else "${StagingInstanceType}"
    return _TYPES.get(resource.rpartition(":")[2].partition("/")[0], by_endpoint)


def _generalised(text: str, project: str, accounts: Mapping[str, str]) -> str:
    """A recorded ARN or value without what is this life's alone."""
    general = re.sub(rf"(?<![A-Za-z0-9]){re.escape(project)}(?![A-Za-z0-9])", "${Project}", text)
    general = re.sub(r"^arn:aws[a-z-]*:", "arn:${Partition}:", general)
    for account, stand_in in accounts.items():
        general = general.replace(account, f"${{{stand_in}}}")
    general = re.sub(r"(?<=[:.-])[a-z]{2}(?:-[a-z]+)+-\d(?=[:./]|$)", "${Region}", general)
    for pattern, passing in _PASSING_PARTS:
        general = pattern.sub(passing, general)
    return _OBJECT.sub(lambda match: match[1] + _key(match[2]), general)


def _key(rest: str) -> str:
    """The rest of an object's key behind its first folder: whose run, and the file's name where it tells something."""
    *folders, name = rest.split("/")
    if re.search(r"\d", name) or len(folders) > 1 or not folders:
        name = "0" + "".join(re.findall(r"(?:\.tar)?\.[a-z]+", name)[-1:])
    return f"0/{name}" if folders else name


def _frozen(context: Mapping[str, Iterable[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((key, tuple(values)) for key, values in context.items()))


def filled(
    call: Call, names: Names, kms_key_arn: str, accounts: Mapping[str, str] | None = None
) -> Call | None:
    """The call as this project makes it, in the account of ``names``; `None` for the use of a key by one that has none
    (``kms_key_arn`` is ""), and of an account that is not among ``accounts``: those of `ProjectAccount`,
    `StagingAccount` and `ProductionAccount` that are others.
    """
    if call.resource == _KEY and not kms_key_arn:
        return None
    config = names.config
    hosting = {"Staging": config.staging, "Production": config.production}
    values = {
        "Project": names.project,
        "Account": names.account,
        **(accounts or {}),
        "Region": names.region,
        "Partition": partition(names.region),
        "KmsKey": kms_key_arn,
        "EvaluationInstanceType": config.evaluation.instance_type,
        "TransformInstanceType": config.evaluation.transform_instance_type,
        **{f"{name}InstanceType": one.instance_type for name, one in hosting.items() if not one.serverless},
    }

    def fill(text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)

    context = {}
    for key, given in call.context:
        try:
            context[key] = [fill(value) for value in given]
        except KeyError:
            continue  # a serverless endpoint names no type
    try:
        return Call(call.role, call.action, fill(call.resource), _frozen(context))
    except KeyError:
        return None
