"""`automl rehearse --on-aws`, with an account of the local AWS as the account: what it leaves, and what it reports."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flights import ENDING_SECONDS, FLY, Someone, killed, roles_begin, stack_begins, stacks, trains

from automl_gitops.commands.main import main
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_rehearsal import flight
from automl_rehearsal.assumptions import ASSUMPTIONS, masked
from automl_rehearsal.commands import Leash, call
from support.project import PROJECT
from support.waiting import wait_until

LOCAL_SAGEMAKER = Path(__file__).resolve().parents[2] / "local-sagemaker" / "README.md"

# --- What is asked ----------------------------------------------------------------------------------------------------


def test_every_undocumented_row_of_the_local_aws_is_a_question() -> None:
    rows = [line.split(" | ") for line in LOCAL_SAGEMAKER.read_text().splitlines() if line.startswith("| ")]
    undocumented = {
        cells[0][2:] for cells in rows if re.search(r"not documented|undocumented", " ".join(cells[1:]))
    }

    assert len(undocumented) > 15
    assert {one.row for one in ASSUMPTIONS if one.row} == undocumented


def test_the_nineteen_questions_of_the_first_reading_are_all_there() -> None:
    assert [one.key for one in ASSUMPTIONS if one.key.isdigit()] == [str(number) for number in range(1, 20)]
    assert len({one.key for one in ASSUMPTIONS}) == len(ASSUMPTIONS)


def test_a_question_that_is_not_asked_says_why() -> None:
    assert [one.key for one in ASSUMPTIONS if not one.ask] == []


def test_a_report_does_not_say_whose_account_it_is() -> None:
    caller = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin/jane@example.org"
    told = {
        "a": [f"User: {caller} may not", "s3://flight-abc123-123456789012-eu-west-1/k", 3],
        "b": "of 999988887777",
    }

    found = masked(told, "123456789012", caller, "jane@example.org")

    assert found["a"][1:] == ["s3://flight-abc123-********9012-eu-west-1/k", 3]
    assert found["b"] == "of ********7777"
    assert not re.search(r"jane|\d{12}|AWSReservedSSO", json.dumps(found))


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_nothing_starts_before_the_cost_is_accepted(someone: Someone) -> None:
    status, told = someone.run("--on-aws")

    assert status == 2
    most = re.search(r"pass --yes-cost (\d+) to accept up to \1 USD", told)
    assert most, told
    less = str(int(most[1]) - 1)
    status, told = someone.run("--on-aws", "--yes-cost", less)
    assert (status, f"--yes-cost {less} is less than the {most[1]} USD" in told) == (2, True)
    assert someone.left() == {}


def test_an_instance_without_a_price_is_refused() -> None:
    config = Config.parse((PROJECT / "automl.toml").read_text().replace("ml.m5.large", "ml.c5.xlarge"))

    with pytest.raises(UserError, match=r'\[prices\] has no "ml.c5.xlarge"'):
        flight.cost(config, "rolled-back")


def test_a_price_of_automl_toml_counts(tmp_path: Path) -> None:
    text = (PROJECT / "automl.toml").read_text()
    dear = text.replace("ml.m5.large", "ml.c5.xlarge") + '\n[prices]\n"ml.c5.xlarge" = 1000.0\n'

    most, _ = flight.cost(Config.parse(dear), "rolled-back")

    assert most > 1000 * flight.HOURS


def test_only_staging_costs_less() -> None:
    config = Config.load(PROJECT / "automl.toml")

    assert flight.cost(config, "staging")[0] < flight.cost(config, "rolled-back")[0]


# --- Options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--on-aws", "--data", "t.csv"], "--data: not with --on-aws"),
        (["--on-aws", "--lenient", "--rows", "50"], "--rows, --lenient: not with --on-aws"),
        (["--clean"], "go with --on-aws"),
        (["--yes-cost", "5"], "go with --on-aws"),
        (["--on-aws", "--confirm", "flight-abc123"], "--confirm goes with --clean"),
        (["--on-aws", "--clean", "--yes-cost", "5"], "leave it out with --clean"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", *options, "--output", str(tmp_path / "out")]) == 2

    assert told in capsys.readouterr().err


def test_a_flight_has_its_own_name_and_touches_nothing_that_is_shared(tmp_path: Path) -> None:
    file = tmp_path / "automl.toml"
    text = (PROJECT / "automl.toml").read_text().replace("seed = 42", 'seed = 42\nbuckets = ["a-data-lake"]')
    file.write_text(text)

    flight._fit(file, "flight-abc123", 900)

    config = Config.load(file)
    assert config.project.name == "flight-abc123"
    assert config.project.tags == {"rehearsal-of": "readmission"}
    assert config.dataset.buckets == []
    assert (config.autopilot.least_rows, config.autopilot.budget.max_seconds) == (500, 900)


# --- One at a time ----------------------------------------------------------------------------------------------------


def test_two_rehearsals_do_not_share_a_folder(tmp_path: Path) -> None:
    first = Leash(tmp_path)

    with pytest.raises(UserError, match="another rehearsal is at work"):
        Leash(tmp_path)
    first.note(None)
    first.release()
    Leash(tmp_path)


def test_a_second_rehearsal_leaves_the_first_one_s_files_alone(tmp_path: Path) -> None:
    first, kept = Leash(tmp_path), tmp_path / "project" / "kept"
    kept.parent.mkdir()
    kept.touch()
    command = (sys.executable, "-m", "automl_gitops", "rehearse", "--output", str(tmp_path))

    second = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=ENDING_SECONDS, check=False
    )

    assert (second.returncode, kept.exists()) == (2, True)
    assert f"another rehearsal is at work in {tmp_path}" in second.stderr
    first.release()


def test_a_command_that_outlived_its_rehearsal_is_ended_by_the_next(tmp_path: Path) -> None:
    package = tmp_path / "automl_gitops"  # found before the installed one, in whose folder the command runs
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import pathlib, time; pathlib.Path('started').touch(); time.sleep(600)"
    )
    caller = (
        "import sys; from pathlib import Path\n"
        "from automl_rehearsal.commands import Leash, call\n"
        "folder = Path(sys.argv[1]); call(folder, {}, 'sleep', leash=Leash(folder / 'leash'))"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    process = subprocess.Popen([sys.executable, "-c", caller, tmp_path], cwd=elsewhere)
    wait_until((tmp_path / "started").exists)
    pid = int((tmp_path / "leash" / "command").read_text())
    process.kill()
    process.wait()
    os.kill(pid, 0)  # it lives

    Leash(tmp_path / "leash")

    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_rehearsal_never_goes_to_the_accounts_of_staging_and_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODUCTION_ROLE_ARN", "arn:aws:iam::123456789012:role/other")
    package = tmp_path / "automl_gitops"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import json, os; print(json.dumps(dict(os.environ)))")

    assert "PRODUCTION_ROLE_ARN" not in call(tmp_path, {}, "x")


# --- What it leaves ---------------------------------------------------------------------------------------------------


def test_a_flight_that_is_ended_clears_up_and_says_so(someone: Someone) -> None:
    process = someone.start(*FLY)
    wait_until(lambda: stack_begins(someone) or process.poll() is not None)
    os.kill(process.pid, signal.SIGTERM)
    told, _ = process.communicate(timeout=ENDING_SECONDS)

    assert process.returncode == 1, told
    assert someone.left() == {}
    assert someone.report["stopped"]["kind"] == "interruption"
    assert someone.report["left"] == []


def test_a_refused_right_ends_in_a_clean_account_and_a_report_that_names_it(someone: Someone) -> None:
    someone.deny("lambda:CreateFunction")

    status, told = someone.run(*FLY)

    assert status == 1, told
    someone.client("iam").delete_user_policy(UserName="administrator", PolicyName="deny")
    assert someone.left() == {}
    report = someone.report
    assert report["stopped"]["kind"] == "permission"
    assert "lambda:CreateFunction" in report["stopped"]["reason"]
    assert someone.account not in json.dumps(report)


def test_a_quota_of_nothing_is_said_before_anything_is_made(someone: Someone) -> None:
    quota = "ml.m5.xlarge for processing job usage"
    someone.aws.set_quota(quota, 0, someone.account)

    status, told = someone.run(*FLY)

    assert status == 1, told
    assert someone.left() == {}
    assert someone.report["stopped"]["kind"] == "quota"
    assert quota in someone.report["stopped"]["reason"]


def test_what_cannot_be_removed_is_named_and_goes_with_the_next_clean(someone: Someone) -> None:
    someone.deny("lambda:CreateFunction", "s3:DeleteBucket")

    status, told = someone.run(*FLY)

    assert status == 1, told
    (stack,) = someone.report["left"]
    assert stack["kind"] == "stack"
    assert "s3:DeleteBucket" in stack["reason"]
    assert roles_begin(someone), "the stack whose tags tell whose it is stays until all else is gone"
    someone.client("iam").delete_user_policy(UserName="administrator", PolicyName="deny")
    assert someone.clean()[0] == 0
    assert someone.left() == {}


def test_githubs_provider_stays_where_another_role_trusts_it(
    someone: Someone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    killed(someone, lambda one: stacks(one).get(f"{name_of(one)}-bootstrap") == "CREATE_COMPLETE", *FLY)
    provider = f"arn:aws:iam::{someone.account}:oidc-provider/token.actions.githubusercontent.com"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    someone.client("iam").create_role(RoleName="others", AssumeRolePolicyDocument=document)

    status, told = someone.clean()

    assert status == 0, told
    found = someone.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert [one["Arn"] for one in found] == [provider]
    assert "role others trusts it" in told


def name_of(someone: Someone) -> str:
    file = someone.folder / "flight.json"
    return json.loads(file.read_text())["project"] if file.exists() else ""


def test_a_flight_in_another_account_is_not_cleaned_here(someone: Someone) -> None:
    someone.folder.mkdir(parents=True)
    elsewhere = flight.Remembered("flight-abc123", someone.aws.region, "999988887777")
    elsewhere.save(someone.folder / "flight.json")

    status, told = someone.run("--on-aws", "--clean")

    assert status == 2
    assert "was in account 999988887777" in told


def test_the_removal_of_nothing_is_no_error(someone: Someone) -> None:
    assert someone.run("--on-aws", "--clean")[0] == 0


def test_a_step_that_nobody_answers_does_not_keep_a_flight_in_the_account(
    someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function that would answer has no rights, which is what a flight is to find out."""
    killed(someone, trains, *FLY)
    role = f"{name_of(someone)}-LambdaExecutionRole"
    someone.client("iam").delete_role_policy(RoleName=role, PolicyName="functions")

    status, told = someone.clean()

    assert status == 0, told
    assert "removed waiting step WaitForAutopilot" in told
    assert someone.left() == {}


# --- The whole of it --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def github(aws: Any, subject: str) -> Iterator[dict[str, str]]:
    """The variables by which a workflow gets its identity token, from a server that gives one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == "bearer runner"
            body = json.dumps({"value": aws.web_identity_token(subject)}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/token?v=1"
        yield {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner"}
        server.shutdown()


@pytest.mark.life
def test_a_flight_in_a_workflow_acts_as_the_role_that_trusts_it_and_leaves_nothing(someone: Someone) -> None:
    with github(someone.aws, "repo:owner@1/readmission@2:ref:refs/heads/main") as variables:
        status, told = someone.run(*FLY, **variables)

    assert status == 0, told
    assert someone.left() == {}
    report = someone.report
    assert (report["outcome"], report["left"]) == ("complete", [])
    actors = {act["command"]: act["actor"] for act in report["acts"]}
    assert (actors["stage"], actors["bootstrap"], actors["promote"]) == (
        "role",
        "administrator",
        "administrator",
    )
    assert "PromoteRole" in report["proved"]
    assert "RetrainRole" not in report["proved"]
    outcomes = {one["key"]: one["outcome"] for one in report["assumptions"]}
    assert {key for key, outcome in outcomes.items() if outcome in ("unclear", "not reached")} == set()
    assert {key for key, outcome in outcomes.items() if outcome == "not as assumed"} == set()
    text = (someone.folder / "report.md").read_text()
    assert someone.account not in text + json.dumps(report)
    assert not (someone.folder / "flight.json").exists()
