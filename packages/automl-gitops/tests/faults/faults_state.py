"""What an account, a repository and a project's folder hold, as lines without what differs from time to time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from faults_world import NAME, World

from support.waiting import wait_until

_SUBSTITUTES = (
    (r"\d{8}T\d{6}(\.\d{3})?Z", "TIME"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"(CREATE|UPDATE)_COMPLETE", "COMPLETE"),
)


def state(world: World) -> list[str]:
    """One line for each thing that is there, sorted; a thing that is there twice has two lines.

    An execution goes on beside the command that has started it, so that it is waited for.
    """
    executions = wait_until(lambda: _executions(world), _have_ended, pause=0.2)
    lines = [*_of_aws(world, executions), *_of_github(world), *_of_folder(world)]
    for number, one in enumerate(executions, start=1):
        lines = [
            line.replace(one["PipelineExecutionArn"].rpartition("/")[2], f"EXECUTION{number}")
            for line in lines
        ]
    for pattern, substitute in _SUBSTITUTES:
        lines = [re.sub(pattern, substitute, line) for line in lines]
    return sorted(lines)


def _pages(client: Any, operation: str, key: str, **given: Any) -> list[Any]:
    return [one for page in client.get_paginator(operation).paginate(**given) for one in page.get(key, [])]


def _executions(world: World) -> list[dict[str, Any]]:
    sagemaker = world.client("sagemaker")
    found = []
    for pipeline in _pages(sagemaker, "list_pipelines", "PipelineSummaries"):
        found += _pages(
            sagemaker,
            "list_pipeline_executions",
            "PipelineExecutionSummaries",
            PipelineName=pipeline["PipelineName"],
        )
    return sorted(found, key=lambda one: one["StartTime"])


def _have_ended(executions: list[dict[str, Any]]) -> bool:
    return all(one["PipelineExecutionStatus"] not in ("Executing", "Stopping") for one in executions)


def _of_aws(world: World, executions: list[dict[str, Any]]) -> Iterator[str]:
    sagemaker = world.client("sagemaker")
    for one in executions:
        about = f"{one['PipelineExecutionDisplayName']} {one['PipelineExecutionStatus']}"
        yield f"execution {about} {one['PipelineExecutionArn']}"
    yield from _training(sagemaker)
    yield from _serving(world, sagemaker)
    yield from _storage(world.client("s3"))
    yield from _stacks(world.client("cloudformation"))
    yield from _functions(world)


def _training(sagemaker: Any) -> Iterator[str]:
    for one in _pages(sagemaker, "list_pipelines", "PipelineSummaries"):
        described = sagemaker.describe_pipeline(PipelineName=one["PipelineName"])
        versions = _pages(
            sagemaker, "list_pipeline_versions", "PipelineVersionSummaries", PipelineName=one["PipelineName"]
        )
        yield f"pipeline {one['PipelineName']} {described['PipelineDescription']} {described['PipelineDefinition']}"
        for version in versions:
            yield f"pipeline version {version['PipelineVersionId']}"
    for group in _pages(sagemaker, "list_model_package_groups", "ModelPackageGroupSummaryList"):
        name = group["ModelPackageGroupName"]
        yield f"model package group {name}"
        for one in _pages(
            sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=name
        ):
            package = sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])
            cycle = package.get("ModelLifeCycle", {})
            noted = {
                key: value
                for key, value in package.get("CustomerMetadataProperties", {}).items()
                if key in ("verification", "evaluation", "automl_job", "dataset_sha256")
            }
            keys = sorted(package.get("CustomerMetadataProperties", {}))
            about = f"{package['ModelApprovalStatus']} {cycle} {sorted(noted.items())} {keys}"
            yield f"model package {one['ModelPackageArn']} {about}"


def _serving(world: World, sagemaker: Any) -> Iterator[str]:
    for one in _pages(sagemaker, "list_endpoints", "Endpoints"):
        described = sagemaker.describe_endpoint(EndpointName=one["EndpointName"])
        variants = [
            (variant["VariantName"], variant.get("CurrentInstanceCount"))
            for variant in described.get("ProductionVariants", [])
        ]
        yield f"endpoint {one['EndpointName']} {one['EndpointStatus']} {described['EndpointConfigName']} {variants}"
        # A change of an endpoint is no thing that could be listed; each makes a config of its own.
    for one in _pages(sagemaker, "list_endpoint_configs", "EndpointConfigs"):
        yield f"endpoint config {one['EndpointConfigName']}"
    for one in _pages(sagemaker, "list_models", "Models"):
        yield f"model {one['ModelName']}"
    for one in _pages(world.client("cloudwatch"), "describe_alarms", "MetricAlarms"):
        yield f"alarm {one['AlarmName']} {one.get('Threshold')} {one['ActionsEnabled']}"
    scaling = world.client("application-autoscaling")
    for one in _pages(scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="sagemaker"):
        yield f"scalable target {one['ResourceId']} {one['MinCapacity']} {one['MaxCapacity']}"
    for one in _pages(scaling, "describe_scaling_policies", "ScalingPolicies", ServiceNamespace="sagemaker"):
        yield f"scaling policy {one['PolicyName']} {one['ResourceId']}"


def _storage(s3: Any) -> Iterator[str]:
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        yield f"bucket {name}"
        for one in _pages(s3, "list_objects_v2", "Contents", Bucket=name):
            # What a training, an evaluation or a check measured differs each time; what was uploaded does not.
            size = one["Size"] if one["Key"].startswith(("datasets/", "code/")) else ""
            yield f"object {one['Key']} {size}"
        for one in _pages(s3, "list_multipart_uploads", "Uploads", Bucket=name):
            yield f"unfinished upload {one['Key']}"


def _stacks(cloudformation: Any) -> Iterator[str]:
    for one in _pages(cloudformation, "describe_stacks", "Stacks"):
        yield f"stack {one['StackName']} {one['StackStatus']} {one.get('EnableTerminationProtection')}"
        for resource in _pages(
            cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=one["StackName"]
        ):
            yield f"stack resource {one['StackName']} {resource['LogicalResourceId']} {resource['ResourceStatus']}"
        for change in _pages(cloudformation, "list_change_sets", "Summaries", StackName=one["StackName"]):
            yield f"change set {one['StackName']} {change['Status']} {change['ExecutionStatus']}"


def _functions(world: World) -> Iterator[str]:
    client = world.client("lambda")
    for one in _pages(client, "list_functions", "Functions"):
        yield f"function {one['FunctionName']} {one['CodeSha256']} {one['Role']}"
    for one in _pages(client, "list_event_source_mappings", "EventSourceMappings"):
        yield f"event source mapping {one['EventSourceArn']} {one['FunctionArn']} {one['State']}"
    for url in world.client("sqs").list_queues().get("QueueUrls", []):
        yield f"queue {url}"
    for one in _pages(world.client("logs"), "describe_log_groups", "logGroups"):
        # A function's log arrives when it likes.
        yield f"log group {one['logGroupName']} {one.get('retentionInDays')}"
    iam = world.client("iam")
    for role in _pages(iam, "list_roles", "Roles"):
        policies = _pages(iam, "list_role_policies", "PolicyNames", RoleName=role["RoleName"])
        attached = _pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role["RoleName"])
        yield f"role {role['RoleName']} {sorted(policies)} {sorted(p['PolicyName'] for p in attached)}"
    for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        yield f"identity provider {one['Arn']}"


def _of_github(world: World) -> Iterator[str]:
    hub = world.github
    for number, pull in hub.pulls.items():
        yield f"pull request {number} {pull['state']} {pull['head']['ref']} {pull['title']} {len(pull['body'])}"
    for number, issue in hub.issues.items():
        yield f"issue {number} {issue['state']} {issue['title']}"
    for number, comments in hub.comments.items():
        for comment in comments:
            yield f"comment on {number} {comment['body'][:80]}"
    for name in hub.git.git("for-each-ref", "--format=%(refname)").splitlines():
        yield f"branch {name} {hub.git.git('rev-parse', f'{name}^{{tree}}')}"
    for scope, variables in hub.variables.items():
        for name, value in variables.items():
            yield f"variable {scope} {name} {value}"
    for name, environment in hub.environments.items():
        yield f"environment {name} {_without_ids(environment)}"
    for ruleset in hub.rulesets:
        yield f"ruleset {_without_ids(ruleset)}"
    for name, setting in hub.settings.items():
        yield f"setting {name} {setting}"
    for dispatch in hub.dispatches:
        yield f"dispatch {dispatch.get('inputs')}"


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(one) for key, one in sorted(value.items()) if key not in ("id", "node_id")}
    return [_without_ids(one) for one in value] if isinstance(value, list) else value


def _of_folder(world: World) -> Iterator[str]:
    for line in world.git("log", "--format=%s").splitlines():
        yield f"commit {line}"
    for line in world.git("status", "--porcelain").splitlines():
        yield f"file {line}"
    for name in ("dataset.lock", "environments/production.toml"):
        path = world.project / name
        for line in path.read_text().splitlines() if path.exists() else ():
            yield f"{NAME}/{name}: {line}"
