"""What a pull request would change, start and cost."""

from __future__ import annotations

import html
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import tomlkit
from making import ACCOUNT, CHAMPION, automl_toml, lock, lock_by_reference

from automl_gitops import plan as plan_module
from automl_gitops.commands.main import main
from automl_gitops.data.contract import Contract
from automl_gitops.data.lock import Column, DataFinding, GroupCounts, Rows, SplitRule
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.markdown import render
from automl_gitops.kernel.page import Page
from automl_gitops.kernel.settings.account import Prices
from automl_gitops.plan import Building, plan
from automl_gitops.plan import page as page_module
from automl_gitops.plan.changes import Change, DataChange, changes, document_changes, parse, step_changes
from automl_gitops.plan.deployed import DeployedState
from automl_gitops.plan.page import page
from automl_gitops.runs.ceiling import ceiling, hours, money
from automl_gitops.runs.project import Project

OTHER = "cd" * 32


def markdown(found: plan_module.Plan, prices: Prices) -> str:
    return render(page(found, prices))


STACK = """
Parameters: {Project: {Type: String}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${Project}-queue"
      VisibilityTimeout: 360
"""


@pytest.fixture
def git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Git in a project's folder, at the commit of `main`; nobody is signed in to AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    (folder / "infrastructure").mkdir()
    (folder / "infrastructure" / "stack.yaml").write_text(STACK)
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text('model_package_arn = ""\n')

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Start")
    run("checkout", "--quiet", "-b", "change")
    return run


def report(reference: str = "main") -> str:
    project = Project()
    return markdown(plan(project, reference), project.config.prices)


def short(text: str) -> str:
    return text.partition("<details>")[0]


def test_an_empty_pull_request_starts_nothing(git):
    text = report()

    assert "This changes no file of the project." in text
    assert "no credentials" in text


def test_a_change_of_a_text_alone_neither_trains_nor_deploys(git, folder):
    (folder / "README.md").write_text("more")

    assert "Merging this neither trains nor deploys." in short(report())


@pytest.mark.parametrize(
    ("package", "trains"),
    [
        ("automl_evaluation", True),
        ("automl_gitops", True),
        ("automl_rehearsal", False),
        ("local_sagemaker", False),
    ],
)
def test_a_wheel_of_what_runs_on_a_laptop_alone_pays_for_no_training(git, folder, package, trains):
    (folder / "vendor").mkdir()
    (folder / "vendor" / f"{package}-0.2.0-py3-none-any.whl").touch()

    assert plan(Project(), "HEAD").retrains is trains


def test_settings_and_ceiling_are_compared(git, folder):
    (folder / "automl.toml").write_text(
        automl_toml(autopilot={"budget": {"max_candidates": 20}}, prices={"ml.m5.xlarge": 0.5})
    )

    text = report()

    assert "| **in all** |  | 16.0 | 3.00 USD + ? |  |" in text
    assert "| `autopilot.budget.max_candidates` |  | `20` |" in text
    assert "automl.toml: 2 settings changed." in short(text)
    assert "There is no dataset.lock yet" in short(text)


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (
            None,
            'Positive class: "yes", by default the second label, as Autopilot takes it; [decision] positive in ',
        ),
        ({"positive": "no"}, 'Positive class: "no", which [decision] positive in automl.toml names.'),
    ],
)
def test_what_a_training_will_call_positive_is_said(git, folder, monkeypatch, decision, sentence):
    monkeypatch.setattr(plan_module, "_definitions", lambda *_: ({}, ""))
    autopilot = {"problem_type": "BinaryClassification", "objective": "F1"}
    (folder / "automl.toml").write_text(automl_toml(autopilot=autopilot, decision=decision))
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").touch()
    lock(classes={"yes": 400, "no": 600}).save(folder / "dataset.lock")

    assert sentence in html.unescape(short(report()))


def test_what_works_but_is_hardly_meant_is_a_notice(git, folder, capsys, monkeypatch):
    changes = {"gate": {"minimum": 0.0}, "autopilot": {"budget": {"max_seconds_per_training_job": 7200}}}
    (folder / "automl.toml").write_text(automl_toml(**changes))

    text = report()

    assert "**Works, but is it meant?**" in short(text)
    assert "minimum = 0 lets every model pass" in short(text)
    assert "max_seconds_per_training_job = 7200 is more than the whole job has" in short(text)
    assert len(plan(Project(), "main").document()["notices"]) == 2

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["plan", "--base", "main"]) == 0
    assert capsys.readouterr().err.count("::warning file=automl.toml,line=") == 2


def test_findings_on_the_data_are_folded_and_new_ones_marked(git, folder, monkeypatch):
    monkeypatch.setattr(plan_module, "_definitions", lambda *_: ({}, ""))
    date = DataFinding(kind="date", columns=["day"], text='"day" holds <dates>.', advice="Give the month.")
    leak = DataFinding(
        kind="target_leak", columns=["again"], text='"again" alone predicts.', advice="Leave it out."
    )
    lock(findings=[date]).save(folder / "dataset.lock")
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").touch()
    git("add", "--all")
    git("commit", "--quiet", "--message", "Data")
    git("branch", "--force", "main")
    lock(findings=[leak, date], sha256=OTHER).save(folder / "dataset.lock")

    text = report()

    assert "Findings on the data: a column alone predicts the target; a column holds dates." in short(text)
    assert "<summary>Findings on the data (2)</summary>" in text
    assert '- **new**: "again" alone predicts. Leave it out.' in text
    assert '- "day" holds &lt;dates&gt;. Give the month.' in text
    assert [one["kind"] for one in plan(Project(), "main").document()["dataset"]["findings"]] == [
        "target_leak",
        "date",
    ]


def test_a_contract_is_compared_and_said_to_be_unchecked(git, folder, monkeypatch):
    monkeypatch.setattr(plan_module, "_definitions", lambda *_: ({}, ""))
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").touch()
    contract = folder / "contract.toml"
    contract.write_text('[columns]\nage = { type = "integer", most = 90 }\n')
    git("add", "--all")
    git("commit", "--quiet", "--message", "Contract")
    git("branch", "--force", "main")
    contract.write_text('[columns]\nage = { type = "integer", most = 99 }\n')
    lock().save(folder / "dataset.lock")

    text = report()

    unchecked = ", against which the data of dataset.lock has not been checked (push or refer it again)."
    assert f"contract.toml: 1 difference{unchecked}" in short(text)
    assert "<summary>contract.toml</summary>" in text
    assert "| `columns.age.most` | `90` | `99` |" in text

    lock(contract=Contract.load().sha256).save(folder / "dataset.lock")
    assert "contract.toml: 1 difference." in short(report())
    assert [one["path"] for one in plan(Project(), "main").document()["contract"]] == ["columns.age.most"]

    contract.unlink()
    assert "has not been checked" not in short(report())

    contract.write_text('[columns]\nage = { type = "int" }\n')
    with pytest.raises(UserError, match="did you mean integer"):
        plan(Project(), "main")


def test_what_cannot_come_to_a_good_end_is_said_without_a_data_set(git, folder):
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": 5}))

    with pytest.raises(UserError, match="minimum = 5 can be reached by no model"):
        plan(Project(), "main")


def test_a_promotion_says_what_takes_over(git, folder):
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/hospital/2"
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{arn}"\n')

    assert "Merging this changes what production serves: nothing becomes version 2." in short(report())


@pytest.mark.parametrize(
    ("deployed", "words"),
    [
        (DeployedState(production=CHAMPION, named=CHAMPION), "production serves version 2."),
        (DeployedState(production=CHAMPION), "production serves version 2 (Git names nothing)."),
        (DeployedState(), "nothing in production."),
        (DeployedState(named=CHAMPION), "no production endpoint in this account (Git names version 2)."),
        (
            DeployedState(named=CHAMPION, elsewhere="210987654321"),
            "production is in account 210987654321, which was not looked at.",
        ),
    ],
)
def test_what_production_serves_is_said(git, monkeypatch, deployed, words):
    deployed.account, deployed.pipeline = ACCOUNT, "absent"
    monkeypatch.setattr(plan_module, "look", lambda *_, **__: deployed)

    assert f"In AWS account {ACCOUNT}: pipeline absent; {words}" in short(report())


def test_a_new_section_is_shown_key_by_key(git, folder):
    (folder / "automl.toml").write_text(
        automl_toml(production={"autoscaling": {"min_instances": 2, "max_instances": 4}})
    )

    text = report()

    assert "| `production.autoscaling.min_instances` |  | `2` |" in text
    assert "{" not in text.partition("Ceiling")[0]


def test_a_version_that_the_registry_lacks_is_said_at_the_top(git, monkeypatch):
    problem = "environments/production.toml: names what is gone: commit another"
    lost = "dataset.lock: s3://b/k is not in this account"
    deployed = DeployedState(account=ACCOUNT, pipeline="absent", named=CHAMPION, problem=problem, lost=lost)
    monkeypatch.setattr(plan_module, "look", lambda *_, **__: deployed)

    assert f"{problem}." in short(report())
    assert f"{lost}." in short(report())


BEFORE_THE_MERGE = "an administrator runs `make bootstrap` on this branch right before the merge."


@pytest.mark.parametrize("signed_in", [True, False])
def test_what_the_roles_stacks_are_given_otherwise_is_deployed_before_the_merge(
    git, folder, monkeypatch, signed_in
):
    if signed_in:
        deployed = DeployedState(account=ACCOUNT, pipeline="absent")
        changes = [Change("Parameters.KmsKeyArn", "", "alias/a")]
        deployed.stack_changes = {"hospital": changes, "hospital-services": changes}
        monkeypatch.setattr(plan_module, "look", lambda *_, **__: deployed)
    else:
        with (folder / "automl.toml").open("a") as file:
            file.write('\n[encryption]\nkms_key = "alias/a"\n')

    assert f"Parameters of the roles' stacks change (KmsKeyArn); {BEFORE_THE_MERGE}" in short(report())


def test_what_the_workflow_gives_its_stack_otherwise_takes_no_administrator(git, monkeypatch):
    deployed = DeployedState(account=ACCOUNT, pipeline="absent")
    deployed.stack_changes = {"hospital": [Change("Parameters.StartCode", "a", "b")]}
    monkeypatch.setattr(plan_module, "look", lambda *_, **__: deployed)

    assert "make bootstrap" not in report()


def test_a_template_is_compared_by_resource(git, folder):
    (folder / "infrastructure" / "stack.yaml").write_text(STACK.replace("360", "900"))

    text = report()

    assert "infrastructure/stack.yaml: 1 difference." in short(text)
    assert "| `Queue.Properties.VisibilityTimeout` | `360` | `900` |" in text


def test_only_what_the_branch_changed_counts(git, folder):
    git("checkout", "--quiet", "main")
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": 0.9}))
    git("commit", "--quiet", "--all", "--message", "Meanwhile")
    git("checkout", "--quiet", "change")

    assert "This changes no file of the project." in report()


def test_a_missing_base_says_how_to_get_it(git):
    with pytest.raises(UserError, match=r"--base origin/main: there is no such commit here: fetch it"):
        plan(Project(), "origin/main")


def test_a_folder_without_git_is_refused(folder):
    with pytest.raises(UserError, match="a plan compares with a commit, and git finds no repository here"):
        plan(Project(), "main")


def test_a_base_that_cannot_be_read_is_no_obstacle(git, folder):
    (folder / "automl.toml").write_text("[project]\nname = 3\n")
    git("commit", "--quiet", "--all", "--message", "Break it")
    (folder / "automl.toml").write_text(automl_toml())

    assert "the base cannot be read in full" in short(report("HEAD"))


def test_new_packages_may_define_another_pipeline(git, folder, monkeypatch):
    """Each side is built by its own wheels, so a branch that changes these alone is compared too."""
    lock().save(folder / "dataset.lock")
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").write_text("print(1)\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Data")

    class OfWheels:
        def __init__(self, place: Path, account: str) -> None:
            self.wheels = [{"Name": path.stem, "Type": "Fail"} for path in (place / "vendor").glob("*.whl")]

        def result(self):
            return {"Steps": self.wheels}, ""

    monkeypatch.setattr(plan_module, "Building", OfWheels)
    (folder / "vendor").mkdir()
    (folder / "vendor" / "new.whl").write_bytes(b"")

    assert plan(Project(), "change").definition == {"new": [Change("the step itself", None, "new")]}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("\nx = = 1\n", "pipeline/evaluate_model.py:2: invalid syntax"),
        ("import nope\n", "pipeline/evaluate_model.py:1: No module named 'nope'"),
        ("\n\n1 / 0\n", "pipeline/evaluate_model.py:3: ZeroDivisionError: division by zero"),
    ],
)
def test_a_mistake_in_the_project_s_own_code_is_placed(folder, code, said):
    lock().save(folder / "dataset.lock")
    for name, text in {
        "evaluation/evaluate.py": "",
        "pipeline/definition.py": "import pipeline.evaluate_model\n",
        "pipeline/evaluate_model.py": code,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    assert Building(folder, ACCOUNT).result() == (None, said)


def test_a_link_out_of_the_project_is_left_alone(git, folder):
    (folder / "data").symlink_to("/somewhere/else")
    (folder / "up").symlink_to("../..")
    (folder / "infrastructure" / "absolute.yaml").symlink_to("/somewhere/else.yaml")
    (folder / "infrastructure" / "loop.yaml").symlink_to("loop.yaml")
    (folder / "infrastructure" / "long.yaml").symlink_to("x" * 300)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Link the data")

    assert "This changes no file of the project." in report("HEAD")


@pytest.mark.parametrize(
    "name",
    [
        "automl.toml",
        "contract.toml",
        "environments/production.toml",
        "environments",
        "infrastructure",
        "vendor",
        "pipeline",
    ],
)
def test_an_absolute_link_in_the_place_of_a_file_is_as_if_it_were_not_there(
    git, folder, tmp_path_factory, name
):
    place, outside = folder / name, tmp_path_factory.mktemp("outside") / "file"
    if place.exists():
        place.rename(outside)
    else:
        outside.write_text("")
    place.symlink_to(outside.resolve())
    git("add", "--all")
    git("commit", "--quiet", "--message", "Link it")

    assert "This changes no file of the project." in report("HEAD")


def test_templates_that_nobody_can_read_are_the_linters_matter(git, folder):
    (folder / "infrastructure" / "folder.yaml").mkdir()
    (folder / "infrastructure" / "folder.yaml" / "inside").write_text("x")
    (folder / "infrastructure" / "latin.yaml").write_bytes("Gr\u00fc\u00dfe: 1".encode("latin-1"))
    (folder / "infrastructure" / "deep.yaml").write_text("[" * 5_000)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Templates")

    assert "This changes no file of the project." in report("HEAD")


def test_a_file_of_the_base_that_is_not_utf_8_is_said(git, folder):
    text = (folder / "automl.toml").read_text()
    (folder / "automl.toml").write_bytes(text.encode() + "# Gr\u00fc\u00dfe".encode("latin-1"))
    git("commit", "--quiet", "--all", "--message", "Latin")
    (folder / "automl.toml").write_text(text)

    assert "not UTF-8" in report("HEAD")


def test_a_mistake_in_automl_toml_is_placed(git, folder, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (folder / "automl.toml").write_text(automl_toml(autopilot={"objective": "F1"}))

    assert main(["plan", "--base", "main"]) == 2
    assert "::error file=automl.toml,line=" in capsys.readouterr().err


def test_the_schema_s_changes_are_named():
    before = lock()
    columns = [Column(name="ward", type="integer"), Column(name="stays", type="integer"), before.columns[2]]
    change = DataChange(before, lock(sha256=OTHER, columns=columns, classes={"<30": 50, "no": 50}))

    assert change.changed
    assert change.schema.sentences == ["new: stays", "gone: age", "ward: text becomes integer"]
    assert change.shares == [("<30", 0.2, 0.5), (">30", 0.3, None), ("no", 0.5, 0.5)]


@pytest.mark.parametrize(
    ("names", "target", "kept"),
    [
        pytest.param(["age", "ward", "stays", "label"], "label", True, id="a new column"),
        pytest.param(["ward", "age", "label"], "label", True, id="another order"),
        pytest.param(["age", "label"], "label", False, id="a column that is gone"),
        pytest.param(["age", "ward", "label", "stays"], "stays", False, id="another target"),
    ],
)
def test_the_champion_is_compared_where_all_that_it_reads_is_there(names, target, kept):
    types = {column.name: column.type for column in lock().columns} | {"stays": "integer"}
    columns = [Column(name=name, type=types[name]) for name in names]

    assert DataChange(lock(), lock(columns=columns, target=target)).schema.keeps_champion is kept


@pytest.mark.parametrize(
    ("column", "kind", "gate", "words"),
    [
        pytest.param("age", "number", {}, "reads such rows too: the gate compares it.", id="3 becomes 3.5"),
        pytest.param(
            "ward", "integer", {}, "reads such rows too: the gate compares it.", id="text becomes 3"
        ),
        pytest.param("label", "integer", {}, "reads such rows too: the gate compares it.", id="the target"),
        pytest.param(
            "age",
            "text",
            {},
            "reads age as numbers and cannot be compared: the gate rejects the trained model, unless automl.toml "
            'says [gate] champion_failure = "accept".',
            id="3 becomes a text",
        ),
        pytest.param(
            "age",
            "text",
            {"champion_failure": "accept"},
            "reads age as numbers and cannot be compared: the gate compares with none.",
            id="a text, and accepted",
        ),
    ],
)
def test_what_the_gate_makes_of_a_column_of_another_type_is_said_before_anything_is_paid(
    git, folder, monkeypatch, column, kind, gate, words
):
    monkeypatch.setattr("automl_gitops.plan._definitions", lambda *_: ({}, ""))  # the SDK is tested elsewhere
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{CHAMPION}"\n')
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").touch()
    lock().save(folder / "dataset.lock")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Data")
    types = {one.name: one.type for one in lock().columns} | {column: kind}
    columns = [Column(name=name, type=of_kind) for name, of_kind in types.items()]
    lock(sha256=OTHER, columns=columns).save(folder / "dataset.lock")
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": 0.5, **gate}))

    assert f"The version in production {words}" in html.unescape(short(report("HEAD")))


def test_data_by_reference_is_compared_as_far_as_it_was_counted(git, folder, monkeypatch):
    monkeypatch.setattr("automl_gitops.plan._definitions", lambda *_: ({}, ""))  # the SDK is tested elsewhere
    lock().save(folder / "dataset.lock")
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").write_text("print(1)\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Push")
    lock_by_reference(sha256=OTHER).save(folder / "dataset.lock")
    (folder / "automl.toml").write_text(automl_toml(dataset={"buckets": ["lake"]}))

    text = report("HEAD")

    assert (
        "Data set: 12 objects of 34,567,890 bytes by reference, rows not counted (was 1,000 rows), 3 columns."
        in short(text)
    )
    assert "once an administrator runs `make bootstrap`" in short(text)
    assert "| rows | 1,000 | not counted |" in text
    assert "| held out | 200 | 1,000 |" in text
    assert "| share of no in the holdout | 50.0% | 50.0% |" in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, lock(), ""),
        (lock(), lock(sha256=OTHER), " (as many as before)"),
        (lock(rows=lock().rows.model_copy(update={"total": 2400})), lock(), " (was 2,400)"),
        (lock_by_reference(), lock(), " (was 12 objects of 34,567,890 bytes by reference, rows not counted)"),
    ],
)
def test_how_much_there_was_before_is_said_where_it_differs(before, after, said):
    assert page_module._was(before, after) == said


def test_another_order_and_another_target_are_changes_of_the_schema():
    before = lock()
    after = lock(sha256=OTHER, target="age", columns=list(reversed(before.columns)))

    assert DataChange(before, after).schema.sentences == [
        "target label becomes age",
        "the columns have another order",
    ]


def test_nothing_to_compare_is_no_change_of_the_schema():
    assert DataChange(None, lock()).schema.sentences == []
    assert not DataChange(lock(), lock()).changed


def test_steps_are_compared_by_name_also_within_branches():
    def definition(code: str, *inner: str) -> dict:
        branch = {"IfSteps": [{"Name": name, "Type": "Lambda"} for name in inner], "ElseSteps": []}
        return {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "MaxSeconds", "Type": "Integer", "DefaultValue": len(inner)}],
            "Steps": [
                {"Name": "Evaluate", "Type": "Processing", "Arguments": {"Code": code}},
                {"Name": "Accept", "Type": "Condition", "Arguments": branch},
            ],
        }

    found = step_changes(definition("a", "Register"), definition("b", "Register", "Tell"))

    assert found == {
        "Parameters": [Change("MaxSeconds", 1, 2)],
        "Evaluate": [Change("Arguments.Code", "a", "b")],
        "Accept": [Change("Arguments.IfSteps", ["Register"], ["Register", "Tell"])],
        "Tell": [Change("the step itself", None, "new")],
    }


def test_documents_are_compared_to_the_value():
    found = list(changes({"a": [1, {"b": 2}], "c": 1}, {"a": [1, {"b": 3}], "d": 4}))

    assert found == [Change("a[1].b", 2, 3), Change("c", 1, None), Change("d", None, 4)]


def test_resources_that_come_and_go_are_one_line_each():
    after = parse(STACK.replace("Queue:", "Topic:", 1).replace("SQS::Queue", "SNS::Topic"))

    assert document_changes(parse(STACK), after) == [
        Change("Queue", "AWS::SQS::Queue", None),
        Change("Topic", None, "AWS::SNS::Topic"),
    ]


def test_the_ceiling_counts_every_instance():
    config = Config.parse(
        automl_toml(
            autopilot={"budget": {"max_candidates": 4, "max_seconds_per_training_job": 900}},
            evaluation={"transform_instance_count": 5, "max_seconds": 3600},
            staging={"keep": True},
            production={"autoscaling": {"min_instances": 2, "max_instances": 6}},
            prices={"autopilot": 2.0, "ml.m5.large": 0.1, "currency": "EUR"},
        )
    )

    first, later = (ceiling(config, has_champion=champion) for champion in (False, True))

    assert [item.hours for item in first.run] == [1.0, 1.0, 10.0]
    assert [item.hours for item in later.run] == [1.0, 1.0, 15.0]
    assert [item.hours for item in first.month] == [730, 6 * 730]
    assert money(first.run) == (2.0, False)
    assert money(first.month) == (pytest.approx(511.0), True)
    assert hours(first.run) == 12.0
    assert config.prices.money(511.0) == "511.00 EUR"


def test_a_threshold_chosen_on_validation_rows_takes_one_more_transform():
    binary = {"problem_type": "BinaryClassification", "objective": "F1"}
    decisions = ({"positive": "yes", "threshold": 0.3}, {"positive": "yes", "threshold": "validation"})

    given, chosen = (
        ceiling(Config.parse(automl_toml(autopilot=binary, decision=decision)), has_champion=True)
        for decision in decisions
    )

    transforms = [found.run[-1].instances.partition(" ")[0] for found in (given, chosen)]
    assert transforms == ["3", "4"]
    (note,) = set(chosen.notes) - set(given.notes)
    assert note.startswith("one of the transforms is of the validation rows")


def test_what_stays_up_is_said_in_money_by_the_month():
    prices = {"ml.m5.large": 0.115}

    thrifty, kept = (
        ceiling(Config.parse(automl_toml(staging={"keep": keep}, prices=prices)), has_champion=False)
        for keep in (False, True)
    )

    assert thrifty.standing == (
        "Day and night: 2 x ml.m5.large of the production endpoint, at most 1,460 instance-hours a month, 167.90 USD."
    )
    assert "the staging endpoint is removed once its version is verified" in thrifty.notes
    assert "1 x ml.m5.large of the staging endpoint and 2 x" in kept.standing
    assert "2,190 instance-hours a month, 251.85 USD." in kept.standing


def test_what_stays_up_without_prices_is_said_in_hours():
    both = {"serverless": {"max_concurrency": 7}}

    unpriced = ceiling(Config.parse(automl_toml()), has_champion=False)
    serverless = ceiling(Config.parse(automl_toml(staging=both, production=both)), has_champion=False)

    assert unpriced.standing.endswith("at most 1,460 instance-hours a month.")
    assert serverless.standing == "Nothing stays up that is paid for day and night."


def test_a_serverless_endpoint_has_no_instance_hours():
    config = Config.parse(automl_toml(staging={"serverless": {"max_concurrency": 7}}))

    found = ceiling(config, has_champion=False)

    assert [item.what for item in found.month] == ["production endpoint"]
    assert any("at most 7 requests" in note for note in found.notes)


def test_a_price_of_something_unknown_is_refused():
    with pytest.raises(UserError, match=r'\[prices\].*"ml\.m5\.xlage".*did you mean ml\.m5\.xlarge\?'):
        Config.parse(automl_toml(prices={"ml.m5.xlage": 0.2}))


@pytest.mark.parametrize("price", [0, -1.0, "cheap"])
def test_a_price_is_a_positive_number(price):
    with pytest.raises(UserError, match="prices"):
        Config.parse(automl_toml(prices={"ml.m5.xlarge": price}))


def test_prices_do_not_make_another_pipeline(folder, monkeypatch):
    lock().save(folder / "dataset.lock")
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").write_text("")
    before = Project().fingerprint("123456789012")
    document = tomlkit.parse((folder / "automl.toml").read_text())
    document["prices"] = {"ml.m5.xlarge": 0.2}
    (folder / "automl.toml").write_text(tomlkit.dumps(document))

    assert Project().fingerprint("123456789012") == before


def test_another_rule_is_shown_with_its_parts() -> None:
    rows = Rows(total=1000, train_validation=640, validation=150, test=200, left_out=10)
    rule = SplitRule(
        group=["who"], time="admitted", gap="7 days", groups=GroupCounts(test=50), left_out={"gap": 10}
    )
    change = DataChange(lock(), lock(sha256=OTHER, rows=rows, split=rule))

    told = render(Page("Plan", page_module._data(SimpleNamespace(data=change))))

    assert "| rows are split | at random | by group (who) and by time (admitted, gap of 7 days) |" in told
    assert "| to validate |  | 150 |" in told
    assert "| left out |  | 10 |" in told
    assert change.document()["split"] == [None, {"group": ["who"], "time": "admitted", "gap": "7 days"}]
