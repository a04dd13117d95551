"""One project in an account that has much to do; writes build/load.json, a part as soon as it is measured.

The project is that of the packages' fault tests (`tests/faults`): deployed, trained by a recorded model, promoted. Its
commands run in processes of their own against the local AWS, with their roles.
"""

import argparse
import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))

from faults_runner import Runner
from faults_state import state
from faults_walk import PLAN, RETRAIN, STEPS, TEARDOWN, Walk
from faults_world import NAME, World

from support.waiting import wait_until

LOOKS = {
    "status": (PLAN, ("status",)),
    "drift": (PLAN, ("drift",)),
    "plan": (PLAN, ("plan", "--base", "HEAD")),
    "doctor": (PLAN, ("doctor",)),
    "teardown, listed": (TEARDOWN, ("teardown", "--delete-data")),
}
JUNK = 10  # of so many messages one cannot be understood
PATIENCE = 3600.0


def main() -> None:
    """Live to production, then load it part by part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--executions", type=int, default=50)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=10_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="load-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    walk = Walk(folder / "world", STEPS, lambda _: False, lambda *_: None, lambda _: None)
    walk.live_until("promote 1")
    world, runner = walk.world, Runner()
    world.resume()
    account = _Account(world, runner)
    if given.clients:
        _keep("invocations", account.invoke(given.clients))
    if given.executions:
        _keep("executions", account.execute(given.executions))
    if given.messages:
        _keep("messages", account.send(given.messages))
    if given.projects:
        for name, found in account.live_among(given.projects - 1):
            _keep(name, found)
    runner.end()
    world.aws.stop()


def _keep(name: str, found: dict[str, Any]) -> None:
    print(name, json.dumps(found), flush=True)
    path = Path.cwd() / "build" / "load.json"
    path.parent.mkdir(exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {name: found}, indent=1) + "\n")


def _received(sqs: Any, queue: str) -> Iterator[dict[str, Any]]:
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for one in found:
            yield one
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])


class _Account:
    def __init__(self, world: World, runner: Runner) -> None:
        self._world = world
        self._runner = runner
        self._sagemaker = world.client("sagemaker")

    def command(self, role: str, arguments: tuple[str, ...]) -> dict[str, Any]:
        """A command's status, output, seconds and calls of AWS."""
        plan = self._world.aws.faults()
        output = self._world.root.parent / "output"
        began = time.monotonic()
        status = self._runner.run(arguments, self._world.environment(role), self._world.project, output)
        seconds, text = time.monotonic() - began, output.read_text()
        return {"status": status, "output": text, "seconds": seconds, "calls": len(plan.calls)}

    def invoke(self, clients: int) -> dict[str, Any]:
        """Ask production by so many clients at once, each on a connection of its own."""
        environment = os.environ | self._world.aws.environment
        program = Path(__file__).with_name("ask_at_once.py")
        done = subprocess.run(
            [sys.executable, program, f"{NAME}-production", str(clients)],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return dict(json.loads(done.stdout))

    def execute(self, count: int) -> dict[str, Any]:
        """Start so many executions, each by a command, and wait for all: each registers its version."""
        before, began = self._versions(), time.monotonic()
        # Production has a version now, which the pipeline compares with.
        for command in (("upsert",), *(("run", "--again", str(number)) for number in range(2, count + 2))):
            ended = self.command(RETRAIN, command)
            assert ended["status"] == 0, ended["output"]
        started = time.monotonic()
        most = 0

        def running() -> list[str]:
            nonlocal most
            left = self._executions("Executing")
            most = max(most, len(left))
            return left

        wait_until(running, lambda left: not left, pause=1.0, patience=PATIENCE)
        registered = self._versions() - before
        failed = [self._reason(execution) for execution in self._executions("Failed")]
        assert registered == count, (f"{registered} versions of {count} executions", failed)
        return {"count": count, "at once": most, "versions": registered, "started in": started - began,
                "ended in": time.monotonic() - began}  # fmt: skip

    def _executions(self, status: str) -> list[str]:
        pages = self._sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=NAME)
        found = [one for page in pages for one in page["PipelineExecutionSummaries"]]
        return [one["PipelineExecutionArn"] for one in found if one["PipelineExecutionStatus"] == status]

    def _reason(self, execution: str) -> str:
        steps = self._sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
        said = (one.get("FailureReason", "") for one in steps["PipelineExecutionSteps"])
        return "; ".join(filter(None, said))

    def _versions(self) -> int:
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=NAME)
        return sum(len(page["ModelPackageSummaryList"]) for page in pages)

    def send(self, count: int) -> dict[str, Any]:
        """Callback messages of a step that has its answer, and some that cannot be understood; until none is left."""
        sqs, began = self._world.client("sqs"), time.monotonic()
        urls = sqs.list_queues()["QueueUrls"]
        (dead,) = (url for url in urls if "dead" in url or "dlq" in url)
        (queue,) = (url for url in urls if url != dead)
        for start in range(0, count, 10):
            entries = [
                {"Id": str(number), "MessageBody": self._message(number)}
                for number in range(start, min(start + 10, count))
            ]
            sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        sent = time.monotonic()

        def waiting(url: str) -> int:
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return sum(map(int, found.values()))

        wait_until(lambda: waiting(queue), lambda left: not left, pause=1.0, patience=PATIENCE)
        handled = time.monotonic()
        # A queue delivers at least once, so that one may have been set aside twice.
        aside = [one["Body"] for one in _received(sqs, dead)]
        junk = {self._message(number) for number in range(0, count, JUNK)}
        assert set(aside) == junk, set(aside) ^ junk
        return {
            "count": count,
            "set aside": len(aside),
            "sent in": sent - began,
            "handled in": handled - sent,
        }

    def _message(self, number: int) -> str:
        if number % JUNK == 0:
            return f"junk {number}"
        if not hasattr(self, "_known"):
            newest = self._sagemaker.list_pipeline_executions(PipelineName=NAME)[
                "PipelineExecutionSummaries"
            ][0]
            execution = newest["PipelineExecutionArn"]
            steps = self._sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
            (token,) = (
                one["Metadata"]["Callback"]["CallbackToken"]
                for one in steps["PipelineExecutionSteps"]
                if "Callback" in one.get("Metadata", {})
            )
            job = self._sagemaker.list_auto_ml_jobs()["AutoMLJobSummaries"][0]["AutoMLJobName"]
            arguments = {"automl_job_name": job, "max_seconds": "3600", "request_uri": "s3://none/none"}
            self._known = json.dumps(
                {
                    "token": token,
                    "pipelineExecutionArn": execution,
                    "status": "Executing",
                    "arguments": arguments,
                }
            )
        return self._known

    def live_among(self, others: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """What a project's commands see, ask and take, alone and among others; and what its teardown removes."""
        alone = {name: self.command(*look) for name, look in LOOKS.items()}
        began = time.monotonic()
        for number in range(others):
            self._neighbour(f"n{number:03}-{NAME}" if number % 2 else f"{NAME}{number:03}")
        yield "neighbours", {"count": others, "seconds": time.monotonic() - began}
        theirs = [line for line in state(self._world) if not self._is_ours(line)]
        for name, look in LOOKS.items():
            among = self.command(*look)
            for one in (alone[name], among):
                one["output"] = re.sub(r"\d\d:\d\d:\d\d\S*|\(\d+ s\)", "", one["output"])
            assert among["status"] == alone[name]["status"], among["output"]
            assert among["output"] == alone[name]["output"], f"{alone[name]['output']}\n{among['output']}"
            yield name, {part: [alone[name][part], among[part]] for part in ("seconds", "calls")}
        ended = self.command(TEARDOWN, ("teardown", "--delete-data", "--confirm", NAME))
        assert ended["status"] == 0, ended["output"]
        kept = [line for line in state(self._world) if not self._is_ours(line)]
        assert kept == theirs, sorted(set(theirs) ^ set(kept))
        left = [
            line
            for line in state(self._world)
            if self._is_ours(line) and line.startswith(("endpoint", "model ", "bucket"))
        ]
        assert not left, left
        yield "teardown", {part: ended[part] for part in ("seconds", "calls")}

    def _is_ours(self, line: str) -> bool:
        return not re.search(rf"n\d\d\d-{NAME}|{NAME}\d\d\d", line)

    def _neighbour(self, name: str) -> None:
        """What listings meet of another project: in its registry, behind its endpoints, and beside them."""
        sagemaker, world = self._sagemaker, self._world
        role = world.names.role_arn(world.names.serving_role)
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
        found = sagemaker.list_models(NameContains=f"{NAME}-staging")["Models"][0]["ModelName"]
        containers = sagemaker.describe_model(ModelName=found)["Containers"]
        for which in ("staging", "production"):
            part = f"{name}-{which}-v1-0123456789ab"
            sagemaker.create_model(ModelName=part, ExecutionRoleArn=role, Containers=containers)
            variant = {"VariantName": "AllTraffic", "ModelName": part, "InstanceType": "ml.m5.large"}
            sagemaker.create_endpoint_config(
                EndpointConfigName=part, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
            )
            sagemaker.create_endpoint(EndpointName=f"{name}-{which}", EndpointConfigName=part)
            world.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}-{which}")
        for alarm in ("5xx", "latency"):
            world.client("cloudwatch").put_metric_alarm(
                AlarmName=f"{name}-production-{alarm}", Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors",
                Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
            )  # fmt: skip
        template = {
            "Resources": {
                "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{name}-callback"}}
            }
        }
        world.client("cloudformation").create_stack(
            StackName=f"{name}-stack", TemplateBody=json.dumps(template)
        )


if __name__ == "__main__":
    main()
