"""The commands of `automl` that have no group of their own."""

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from automl_gitops.commands import Json, Markdown, Which
from automl_gitops.data import consistency
from automl_gitops.data.positive import apart
from automl_gitops.kernel import cli, terminal, workflow_step
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.files import prepare, write_text
from automl_gitops.kernel.signature import run_url
from automl_gitops.runs.execution import Execution, locate, of_commit, overtaken, overtaken_by, read
from automl_gitops.runs.follow import follow, seconds_of, table
from automl_gitops.runs.project import Project
from automl_gitops.runs.summary import Failure, explained, failure_blocks, find_failures, unanswered

app = typer.Typer()

OfCommit = Annotated[
    str | None,
    typer.Argument(
        metavar="EXECUTION", help="Id or ARN; by default the newest execution of the current commit."
    ),
]
AtMost = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="With --wait: follow it no longer than that, such as 90s, 300m or 5h."),
]


@app.command(epilog="Example: automl definition --account 123456789012 --output build/definition.json")
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
    """Print the pipeline's definition (JSON).

    With --account it needs neither network nor credentials.
    """
    from automl_gitops.runs import definition

    project = Project()
    if account is not None and not (len(account) == 12 and account.isdigit()):
        raise UserError(f"--account {account}: an account has twelve digits")
    if output:
        prepare(output)
    text = definition.build(
        project.config, project.lock, account or project.aws.account, project.bundle, project.champion
    )
    from automl_gitops.runs import dry_run

    dry_run.require(project)
    if output is None:
        print(text)
        return
    write_text(output, text + "\n")


@app.command(epilog="Example: automl plan --base origin/main")
def plan(
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Branch or commit to compare with; by default origin/main, else main."
        ),
    ] = None,
    markdown: Markdown = None,
    as_json: Json = False,
) -> None:
    """Show what merging this branch changes, starts and costs.

    Nothing is changed; the cost is a ceiling. Compares with the base offline and, where credentials are, with what
    is deployed.
    """
    from automl_gitops.kernel.markdown import render
    from automl_gitops.plan import plan
    from automl_gitops.plan.page import page

    output, project = Output(as_json=as_json), Project()
    if markdown:
        prepare(markdown)
    planned = plan(project, base)
    report = page(planned, project.config.prices)
    schema = planned.data.schema.sentences
    if schema:
        cli.warn(f"the data set's schema changes: {'; '.join(schema)}", "dataset.lock")
    for notice in planned.notices:
        cli.warn(notice.sentence, notice.file or "automl.toml", notice.line)
    if planned.deployed.problem:
        cli.warn(planned.deployed.problem, "environments/production.toml")
    if planned.deployed.lost:
        cli.warn(planned.deployed.lost, "dataset.lock")
    if markdown:
        write_text(markdown, render(report))
        output.done(f"the plan is in {markdown}")
    elif not as_json:
        terminal.show(report, output.console)
    output.result(planned.document())


@app.command(epilog="Example: automl upsert")
def upsert(as_json: Json = False) -> None:
    """Create or update the pipeline in AWS as the files say.

    Uploads the evaluation's code, and says created, updated or unchanged.
    """
    from automl_gitops.runs.upsert import upsert

    output, project = Output(as_json=as_json), Project()
    outcome, arn = upsert(project)
    output.done(f"pipeline {project.names.pipeline}: {outcome}")
    output.result({"arn": arn, "outcome": outcome, "bundle": project.bundle.sha256})


@app.command(epilog="Example: automl run --wait --parameter MaxSeconds=600")
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
    at_most: AtMost = None,
    as_json: Json = False,
) -> None:
    """Start the pipeline for the current commit.

    The same commit twice is the same execution, unless --again or --retry asks for another. In a workflow its id is the
    step's output `execution`.
    """
    from automl_gitops.runs.run import parse_changes, repeat, run
    from automl_gitops.stacks.stack import require_functions

    seconds = _seconds(at_most, wait)
    output, project = Output(as_json=as_json), Project()
    started = run(
        project,
        output,
        parse_changes(parameter or []),
        again,
        retry=retry,
        ready=lambda: require_functions(project.aws, project.names),
    )
    execution = _read(project, started.arn)
    if started.new:
        output.say(f"execution {execution.id} started")
    else:
        output.notice(
            f"this commit has its execution already, {execution.id} ({execution.status}); "
            f"for another attempt: {repeat(started.next_attempt, parameter or [])}"
        )
    workflow_step.set_outputs({"execution": execution.id})
    if wait:
        execution = _follow(project, output, started.arn, seconds)
    failed = find_failures(project.aws, project.names, execution)
    execution = explained(execution, failed)
    output.result({**_document(execution, failed), "started": started.new})
    if wait:
        _end(project, output, execution, failed)


@app.command(epilog="Example: automl execution --wait")
def execution(
    which: Which = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end; exit status 1 if it fails.")
    ] = False,
    at_most: AtMost = None,
    after_run: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="NUMBER", help="Workflow run that followed it before; the page names it."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the steps of an execution and how it ended.

    With the Autopilot job's progress, why it failed, or what it registered. In a workflow, --wait sets the step's
    outputs: `execution`; `goes-on` or `ended`; and `to-stage` where it registered the newest version.
    """
    seconds = _seconds(at_most, wait)
    output, project = Output(as_json=as_json), Project()
    arn = locate(project.aws.client("sagemaker"), project.names, which)
    state = _read(project, arn)
    if after_run:
        workflow_step.append_summary(f"Goes on from [run {after_run}]({run_url(after_run)}).")
    if wait:
        workflow_step.set_outputs({"execution": state.id})
        state = _follow(project, output, arn, seconds)
    else:
        output.console.print(table(state))
        reason = _stuck(project, state)
        if reason:
            output.notice(reason)
    failed = find_failures(project.aws, project.names, state)
    state = explained(state, failed)
    output.result(_document(state, failed))
    if wait:
        _end(project, output, state, failed)
    elif state.has_ended and state.status != "Succeeded":
        terminal.blocks([*failure_blocks(failed)], output.console)
        output.say(f"{state.status}: {state.reason}")


@app.command(epilog="Example: automl summary")
def summary(execution: OfCommit = None, markdown: Markdown = None, as_json: Json = False) -> None:
    """Show what came of an execution.

    Metrics, gate, leaderboard, cost so far, links; of one that failed, the end of its logs. In a workflow it goes to
    the run's page, and the step has an output `evaluation` where there is something to report on.
    """
    from automl_evaluation.typed import plain
    from automl_gitops.kernel.markdown import render
    from automl_gitops.runs.evaluation_file import find
    from automl_gitops.runs.run import find_source
    from automl_gitops.runs.summary import RunSummary, no_run, page

    output, project = Output(as_json=as_json), Project()
    if markdown:
        prepare(markdown)
    sagemaker, names = project.aws.client("sagemaker"), project.names
    if execution:
        arn: str | None = locate(sagemaker, names, execution)
    else:
        arn = of_commit(sagemaker, names, find_source().commit)
    if arn is None:
        report = no_run(in_workflow=workflow_step.has_page())
        output.result({"execution": None})
    else:
        state = _read(project, arn)
        evaluation = find(project.aws.client("s3"), project.names.bucket, state.id)
        failed = find_failures(project.aws, project.names, state)
        state = explained(state, failed)
        report = page(RunSummary(state, evaluation, project.names, failed))
        output.result({**_document(state, failed), "evaluation": plain(evaluation)})
        if evaluation:
            workflow_step.set_outputs({"evaluation": "true"})
    on_page = workflow_step.append_summary(render(report))
    if markdown:
        write_text(markdown, render(report))
        output.done(f"the summary is in {markdown}")
    elif not on_page and not as_json:
        terminal.show(report, output.console)


@app.command(epilog="Example: automl report --output build/report.html --markdown build/report.md")
def report(
    which: Which = None,
    evaluation: Annotated[
        Path | None, typer.Option(help="An evaluation.json to report on; needs no AWS.", metavar="FILE")
    ] = None,
    output: Annotated[Path, typer.Option(help="The page to write.", metavar="FILE")] = Path(
        "build/report.html"
    ),
    markdown_file: Annotated[
        Path | None,
        typer.Option("--markdown", help="Write the same as Markdown for GitHub, too.", metavar="FILE"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the evaluation as a page.

    It is one HTML file, which needs nothing else and can be sent to anybody.
    """
    from dataclasses import replace

    from automl_gitops.report import Provenance, html, markdown
    from automl_gitops.report.origin import findings, of_execution
    from automl_gitops.runs import evaluation_file

    say = Output(as_json=as_json)
    if evaluation is not None and which is not None:
        raise UserError(f"report {which} --evaluation {evaluation}: give an execution or a file, not both")
    for file in filter(None, (output, markdown_file)):
        prepare(file)
    if evaluation is not None:
        document, origin = evaluation_file.load(evaluation), Provenance()
    else:
        project = Project()
        state = _read(project, locate(project.aws.client("sagemaker"), project.names, which))
        document, origin = of_execution(project.aws.client("s3"), project.names, state), Provenance.of(state)
    origin = replace(origin, findings=tuple(findings(document)))
    write_text(output, html(document, origin))
    say.done(f"{output}: {document.decision}, {document.reasons_text}")
    if markdown_file is not None:
        write_text(markdown_file, markdown(document, origin))
        say.done(f"{markdown_file}: the same as Markdown")
    say.result(
        {
            "report": str(output),
            "markdown": str(markdown_file) if markdown_file else None,
            "decision": document.decision,
            "reasons": document.reasons,
        }
    )


@app.command(epilog="Example: automl stop")
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


def _seconds(at_most: str | None, wait: bool) -> float:
    """For how many seconds an execution is followed."""
    if at_most is None:
        return math.inf
    if not wait:
        raise UserError(f"--at-most {at_most}: says how long to follow the execution, so it goes with --wait")
    return seconds_of(at_most)


def _follow(project: Project, output: Output, arn: str, seconds: float = math.inf) -> Execution:
    name = arn.rsplit("/", 1)[-1]
    with suppress(UserError):  # following needs no data set
        lock, own = project.lock, project.config.decision.positive
        note = apart(
            consistency.metric(project.config, lock), lock.classes or lock.holdout_classes or (), own
        )
        if note:
            output.say(f"{note}.")
    try:
        return follow(
            lambda: _read(project, arn), output, seconds=seconds, stuck=lambda state: _stuck(project, state)
        )
    except KeyboardInterrupt:
        output.notice(
            f"the execution goes on; look with `automl execution {name}`, end it with `automl stop {name}`"
        )
        raise


def _stuck(project: Project, state: Execution) -> str | None:
    return unanswered(project.aws, project.names, state)


def _document(execution: Execution, failed: Sequence[Failure]) -> dict[str, Any]:
    return {**execution.document(), "failures": [failure.document() for failure in failed]}


def _end(project: Project, output: Output, execution: Execution, failed: Sequence[Failure]) -> None:
    """Say how an execution that was followed ended, or that it goes on; raise `RunError` where it failed."""
    if not execution.has_ended:
        workflow_step.set_outputs({"goes-on": "true"})
        output.notice(
            f"execution {execution.id} goes on; follow it with `automl execution {execution.id} --wait`"
        )
        return
    workflow_step.set_outputs({"ended": "true"})
    if execution.status == "Succeeded":
        output.done(
            f"execution {execution.id} succeeded: {execution.model_package_arn or 'nothing registered'}"
        )
        if execution.model_package_arn:
            _to_stage(project, output, execution)
        return
    terminal.blocks([*failure_blocks(failed)], output.console)
    raise RunError(f"execution {execution.id} {execution.status.lower()}: {execution.reason}")


def _to_stage(project: Project, output: Output, execution: Execution) -> None:
    """Tell a workflow that the version of an execution is the newest, or a person that it is not."""
    later = overtaken_by(project.aws.client("sagemaker"), project.names, execution.arn)
    if later is None:
        workflow_step.set_outputs({"to-stage": execution.id})
    else:
        output.notice(overtaken(execution, later))
        workflow_step.append_summary(f"Not staged: {overtaken(execution, later)}.")
