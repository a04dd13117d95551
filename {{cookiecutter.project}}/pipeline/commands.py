"""The commands of `python -m pipeline` that have no group of their own."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline import cli, logs
from pipeline.console import Output
from pipeline.errors import RunError, UserError
from pipeline.execution import Execution, locate, of_commit, read
from pipeline.files import write_text
from pipeline.follow import follow, table
from pipeline.project import Project

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Which = Annotated[
    str | None, typer.Argument(metavar="EXECUTION", help="Id or ARN; the newest one by default.")
]


@app.command(
    epilog="Example: python -m pipeline definition --account 123456789012 --output build/definition.json"
)
def definition(
    account: Annotated[
        str | None,
        typer.Option(
            metavar="DIGITS",
            help="Account of the names in it, 12 digits; by default that of the credentials.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write; by default standard output.")
    ] = None,
) -> None:
    """Print the pipeline's definition (JSON). With --account it needs neither network nor credentials."""
    from pipeline import definition

    project = Project()
    if account is not None and not (len(account) == 12 and account.isdigit()):
        raise UserError(f"--account {account}: an account has twelve digits")
    text = definition.build(
        project.config, project.lock, account or project.aws.account, project.bundle, project.champion
    )
    if output is None:
        print(text)
        return
    write_text(output, text + "\n")


@app.command(epilog="Example: python -m pipeline plan --base origin/main")
def plan(
    base: Annotated[
        str, typer.Option(metavar="REF", help="Branch or commit to compare with.")
    ] = "origin/main",
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report there; else it is printed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what merging this branch changes, starts and costs.

    Nothing is changed; the cost is a ceiling. Compares with the base offline and, where credentials are, with what
    is deployed.
    """
    from pipeline.plan import plan
    from pipeline.plan.markdown import markdown as report

    output, project = Output(as_json=as_json), Project()
    found = plan(project, base)
    text = report(found, project.config.prices)
    schema = found.data.schema.sentences
    if schema:
        cli.warn(f"the data set's schema changes: {'; '.join(schema)}", "dataset.lock")
    for notice in found.notices:
        cli.warn(notice.sentence, notice.file or "automl.toml", notice.line)
    if markdown:
        write_text(markdown, text)
        output.done(f"the plan is in {markdown}")
    elif not as_json:
        print(text, end="")
    output.result(found.document())


@app.command(epilog="Example: python -m pipeline upsert")
def upsert(as_json: Json = False) -> None:
    """Create or update the pipeline in AWS as the files say.

    Uploads the evaluation's code, and says created, updated or unchanged.
    """
    from pipeline.upsert import upsert

    output, project = Output(as_json=as_json), Project()
    outcome, arn = upsert(project)
    output.done(f"pipeline {project.names.pipeline}: {outcome}")
    output.result({"arn": arn, "outcome": outcome, "bundle": project.bundle.sha256})


@app.command(epilog="Example: python -m pipeline run --wait --parameter MaxSeconds=600")
def run(
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the execution; exit status 1 if it fails.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Another value for this run; may be repeated."),
    ] = None,
    again: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="The N-th attempt at the same commit.")
    ] = None,
    retry: Annotated[
        bool,
        typer.Option("--retry", help="Another attempt where the commit's execution failed or was stopped."),
    ] = False,
    model_package_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --wait: write the ARN of the registered version there."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the pipeline for the current commit.

    The same commit twice is the same execution, unless --again or --retry asks for another.
    """
    from pipeline.run import parse_changes, run

    if model_package_file and not wait:
        raise UserError("--model-package-file: the version is known in the end, so it goes with --wait")

    output, project = Output(as_json=as_json), Project()
    started = run(project, output, parse_changes(parameter or []), again, retry=retry)
    execution = _read(project, started.arn)
    if started.new:
        output.say(f"execution {execution.id} started")
    else:
        another = (again or 1) + 1
        output.notice(
            f"this commit has its execution already, {execution.id} ({execution.status}); "
            f"for another attempt: python -m pipeline run --again {another}"
        )
    if wait:
        execution = _follow(project, output, started.arn)
    output.result({**execution.document(), "started": started.new})
    if wait:
        _end(project, output, execution)
    if model_package_file and execution.model_package_arn:
        write_text(model_package_file, execution.model_package_arn + "\n")


@app.command(epilog="Example: python -m pipeline status --wait")
def status(
    execution: Which = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end; exit status 1 if it fails.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the steps of an execution and how it ended.

    With the Autopilot job's progress, why it failed, or what it registered.
    """
    output, project = Output(as_json=as_json), Project()
    arn = locate(project.aws.client("sagemaker"), project.names, execution)
    if wait:
        state = _follow(project, output, arn)
    else:
        state = _read(project, arn)
        output.console.print(table(state))
    output.result(state.document())
    if wait:
        _end(project, output, state)
    elif state.has_ended and state.status != "Succeeded":
        _show_log(project, output, state)
        output.say(f"{state.status}: {state.reason}")


@app.command(epilog="Example: python -m pipeline summary")
def summary(execution: Which = None, as_json: Json = False) -> None:
    """Show what came of an execution, in Markdown.

    Metrics, gate, leaderboard, cost so far, links. In a workflow it goes to the run's page. By default the newest
    execution of the current commit.
    """
    from pipeline import job_summary, source
    from pipeline.evaluation_file import find
    from pipeline.summary import Facts, markdown

    output, project = Output(as_json=as_json), Project()
    sagemaker, names = project.aws.client("sagemaker"), project.names
    if execution:
        arn: str | None = locate(sagemaker, names, execution)
    else:
        arn = of_commit(sagemaker, names, source.find().commit)
    if arn is None:
        text = "### No run\n\nThis commit has no execution of the pipeline: the steps before it say why.\n"
        output.result({"execution": None})
    else:
        state = _read(project, arn)
        evaluation = find(project.aws.client("s3"), project.names.bucket, state.id)
        text = markdown(Facts(state, evaluation, project.names))
        output.result({**state.document(), "evaluation": evaluation})
    if not job_summary.append(text) and not as_json:
        print(text)


@app.command(epilog="Example: python -m pipeline stop")
def stop(execution: Which = None, as_json: Json = False) -> None:
    """Stop an execution with its Autopilot job; waits for it."""
    output, project = Output(as_json=as_json), Project()
    arn = locate(project.aws.client("sagemaker"), project.names, execution)
    state = _read(project, arn)
    if state.has_ended:
        output.say(f"execution {state.id} has ended already: {state.status}")
    else:
        # The token is the execution's own: asking twice is asking once.
        project.aws.client("sagemaker").stop_pipeline_execution(
            PipelineExecutionArn=arn, ClientRequestToken=f"stop-{state.id}".ljust(32, "-")
        )
        state = _follow(project, output, arn)
        output.done(f"execution {state.id}: {state.status}")
    output.result(state.document())


def _read(project: Project, arn: str) -> Execution:
    return read(project.aws.client("sagemaker"), project.names, arn)


def _follow(project: Project, output: Output, arn: str) -> Execution:
    name = arn.rsplit("/", 1)[-1]
    try:
        return follow(lambda: _read(project, arn), output)
    except KeyboardInterrupt:
        output.notice(
            f"the execution goes on; look with `python -m pipeline status {name}`, "
            f"end it with `python -m pipeline stop {name}`"
        )
        raise


def _end(project: Project, output: Output, execution: Execution) -> None:
    """Say how an execution ended; raise `RunError` unless it succeeded."""
    if execution.status == "Succeeded":
        output.done(
            f"execution {execution.id} succeeded: {execution.model_package_arn or 'nothing registered'}"
        )
        return
    _show_log(project, output, execution)
    raise RunError(f"execution {execution.id} {execution.status.lower()}: {execution.reason}")


def _show_log(project: Project, output: Output, execution: Execution) -> None:
    """The last words of the processing job that failed, where one did."""
    job = next((step.job for step in execution.steps if step.status == "Failed" and step.job), None)
    if job is None:
        return
    lines = logs.tail(project.aws.client("logs"), job)
    if lines:
        output.say(f"the end of the log of {job} (CloudWatch {logs.GROUP}):")
    for line in lines:
        output.say(f"  {line}", "dim")
