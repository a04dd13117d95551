"""`make demo` at the template's top: what it refuses before it makes anything, and what a table's project is called."""

import csv
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import ROOT, bake
from hypothesis import given
from hypothesis import strategies as st
from test_answers import load_hook

from automl_gitops.kernel.config import Config
from automl_rehearsal import life
from automl_rehearsal.first_look import Wish
from showcase import __main__ as showcase
from showcase import first_look
from showcase.__main__ import answer, name_positive, name_target
from showcase.answers import POSITIVE, answerable, arguments, called, name, of_table
from showcase.record import Record

HOSPITAL = (
    "patient_nbr,race_Caucasian,race_African_American,race_Hispanic,race_Asian,race_Other,age,time_in_hospital,"
    "readmitted"
)
UCI = (
    "encounter_id,patient_nbr,race,age,time_in_hospital,num_lab_procedures,num_medications,number_emergency,"
    "number_inpatient,number_diagnoses,change,diabetesMed,readmitted"
)


def columns_of(header: str) -> list[str]:
    return next(csv.reader([header]))


def write(path: Path, header: str, target: str, rows: int = 700) -> Path:
    """A table whose last column takes the values of ``target``, separated by blanks, in turn; numbers elsewhere."""
    values, width = target.split(), len(columns_of(header)) - 1
    lines = (
        f"{','.join(str((n * 7 + c) % 97) for c in range(width))},{values[n % len(values)]}"
        for n in range(rows)
    )
    path.write_text("\n".join((header, *lines, "")))
    return path


@pytest.fixture
def clone(template, tmp_path) -> Path:
    """The template below a folder whose name has blanks and quotes, without an environment."""
    folder = tmp_path / 'Jo\'s "clones" here' / "the template"
    shutil.copytree(template, folder)
    return folder


def make(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = environment.get("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    return subprocess.run(
        [shutil.which("make"), f"PYTHON={sys.executable}", *arguments],
        cwd=clone,
        env={"PATH": path, "HOME": str(clone), **environment},
        capture_output=True,
        timeout=120,
        check=False,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
    )


REFUSED = [
    # what is typed, a part of the sentence
    (["PROBLEM=foo"], "type PROBLEM=binary, multiclass or regression"),
    (["PROBLEM=foo", "DATA=movies.csv"], "type PROBLEM=binary, multiclass or regression"),
    (["DATA=movie.csv"], 'did you mean "movies.csv"?'),
    (['DATA=gone/it\'s $HOME "x" é.csv'], 'gone/it\'s $HOME "x" é.csv: not found'),
    (["DATA=."], "is a folder"),
    (["DATA=tests/generated_files.txt"], "has one column"),
    (["DATA=docs/report.png"], "is a PNG image, no CSV"),
    (["DATA=movies.csv", "TARGET=hit"], 'did you mean "Hit"?'),
    (["DATA=movies.csv", "PROBLEM=Regression"], 'row 1 has "No"'),
    (["DATA=movies.csv", "PROBLEM=BinaryClassification", "TARGET=Stars"], "more than two classes"),
    (["DATA=small.csv"], "type make demo DATA=small.csv LENIENT=1"),
    (["DATA=empty.csv"], 'columns "a", "b" have no value in any row: remove what is empty'),
    (["DATA=cut.parquet"], "is a Parquet file without its end"),
]


@pytest.mark.parametrize(
    ("typed", "sentence"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_what_cannot_work_is_refused_before_anything_is_made(clone, typed, sentence):
    write(clone / "movies.csv", "Age,Stars,Hit", "No Yes")
    write(clone / "small.csv", "Age,Stars,Hit", "No Yes", rows=300)
    (clone / "empty.csv").write_text("a,b,x,Hit\n" + "".join(f",,{n},{n % 2}\n" for n in range(700)))
    (clone / "cut.parquet").write_bytes(b"PAR1" + bytes(100))
    before = set(clone.rglob("*"))

    result = make(clone, "demo", *typed)

    told, *after = result.stderr.splitlines()
    assert result.returncode == 2, result.stdout + result.stderr
    assert told.startswith("error: ")
    assert sentence in told
    assert all(line.startswith("make: ") for line in after), after
    assert result.stdout == ""
    assert set(clone.rglob("*")) == before, "nothing is made"
    assert {path.name for path in clone.parent.iterdir()} == {clone.name}


def test_a_terminal_without_our_letters_is_told_as_well(clone):
    result = make(clone, "demo", "DATA=größe.csv", LC_ALL="C", PYTHONIOENCODING="ascii")

    assert result.stderr.startswith("error: gr\\xf6\\xdfe.csv: not found")


def test_without_git_nothing_begins(clone, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "bash", "date"):
        (tools / tool).symlink_to(shutil.which(tool))

    result = make(clone, "demo", PATH=str(tools))

    assert "error: git is not installed" in result.stderr
    assert not (clone / "build").exists()


def test_environments_are_made_in_the_clone_whatever_its_folder_is_called(clone, tmp_path):
    """With a Python and a uv that note where they would install."""
    python, log = tmp_path / "python", tmp_path / "asked"
    python.write_text(
        f"""#!/bin/sh
        case "$*" in
        *automl_rehearsal.install*)
            mkdir -p "$4/bin"
            test -e "$4/bin/uv" || cp "$0" "$4/bin/uv"
            echo "$PWD" >> "{log}";;
        "pip install"*) echo "$PWD" >> "{log}";;
        esac
        """.lstrip()
    )
    python.chmod(0o755)

    result = make(clone, "setup", f"PYTHON={python}")

    assert result.returncode == 0, result.stderr
    assert log.read_text().splitlines() == [str(clone)] * 4, "three locks, and the sources of the packages"
    assert all((clone / ".venv" / lock).exists() for lock in ("template", "project", "check"))
    assert {path.name for path in clone.parent.iterdir()} == {clone.name}


def configuration(template: Path, folder: Path, answers: dict[str, str]):
    """The automl.toml of a project with these answers."""
    result = bake(template, folder, **dict(part.split("=", 1) for part in arguments(answers)))
    assert result.returncode == 0, result.stderr
    file = folder / answers["project"] / "automl.toml"
    name_target(file, answers["target"])
    if POSITIVE in answers:
        name_positive(file, answers[POSITIVE])
    return Config.load(file)


TABLES = [
    # file, header, values of the last column, name, problem type
    ("movies.csv", "Age,Hit", "No Yes", "movies", "BinaryClassification"),
    ("Größe & Preis (2024).csv", 'x,"Preis, in €"', "1.5 2.5 3.5", "groe-preis-2024", "Regression"),
    ("data.csv", "x,{{ y }}", "a b c", "data-model", "MulticlassClassification"),
    ("映画.csv", "x,{% raw %}", "a b c", "my-table", "MulticlassClassification"),
    ("blanks.csv", "x, y ", "a b", "blanks", "BinaryClassification"),
    ("con.csv", 'x,"a ""quoted"" \\ name"', "a b", "con-model", "BinaryClassification"),
]


@pytest.mark.parametrize(("file", "header", "target", "called", "problem"), TABLES)
def test_names_follow_the_table(template, tmp_path, file, header, target, called, problem):
    wish = Wish(str(write(tmp_path / file, header, target)))
    column = columns_of(header)[-1]

    config = configuration(template, tmp_path, answer(wish))

    assert config.project.name == called
    assert config.project.description == f"Predict {answerable(column)} from {file}"
    assert config.dataset.target == column
    assert config.autopilot.problem_type == problem
    assert (config.evaluation.slices, config.evaluation.bands) == ([], {})


@pytest.mark.parametrize(
    ("labels", "problem", "positive"),
    [
        ("nein nein ja", "", "ja"),
        ("no no yes", "", None),
        ("no yes", "", None),
        ("z z b'c#\\d", "", "b'c#\\d"),
        ("nein nein ja", "MulticlassClassification", None),
    ],
)
def test_the_rarer_of_two_classes_is_the_positive_one(template, tmp_path, labels, problem, positive):
    wish = Wish(str(write(tmp_path / "churn.csv", "x,left", labels)), problem=problem)

    config = configuration(template, tmp_path, answer(wish))

    assert config.decision.positive == positive


def test_slices_bands_and_group_are_set_only_where_the_columns_are(template, tmp_path):
    other = Wish(str(write(tmp_path / "wards.csv", "ward,readmitted", "a b c")))
    same = Wish(str(write(tmp_path / "clinic.csv", HOSPITAL, "no >30 <30")))

    without, with_all = (configuration(template, tmp_path, answer(wish)) for wish in (other, same))
    assert (without.evaluation.slices, without.dataset.group) == ([], None)
    assert (with_all.evaluation.slices, with_all.dataset.group) == (["race_*", "age"], ["patient_nbr"])


def test_the_example_s_own_source_gets_the_example_s_project(tmp_path):
    wish = Wish(str(write(tmp_path / "d.csv", UCI, "NO >30 <30")))

    assert answer(wish) == {}


def test_without_a_file_the_named_target_is_what_the_project_predicts(template, tmp_path):
    wish = Wish(target="Will they return?", problem="Regression")

    config = configuration(template, tmp_path, answer(wish))

    assert (config.project.name, config.dataset.target) == ("will-they-return", "Will they return?")
    assert config.autopilot.problem_type == "Regression"


@given(st.text(max_size=60) | st.text(string.ascii_letters + string.digits + " -_.", max_size=40))
def test_any_text_makes_a_name_that_the_questions_take(text):
    assert HOOK.problem_with_project(name(text)) is None


@given(st.text(max_size=300), st.text(min_size=1, max_size=300))
def test_any_file_and_any_column_make_answers_that_the_questions_take(file, target):
    answers = of_table(Path(f"x{file}.csv"), target, "Regression", [target], [])

    for argument in arguments(answers):
        question, _, text = argument.partition("=")
        assert question not in ("description", "target") or HOOK.problem_with_text(text) is None


HOOK = load_hook(ROOT)


@pytest.mark.parametrize("objective", ["F1", "MSE"])
def test_the_example_of_a_new_project_is_judged_by_its_own_gate(template, tmp_path, objective):
    problem = "binary" if objective == "F1" else "regression"
    bake(template, tmp_path, project="species", target="species", problem_type=problem, objective=objective)
    config = Config.load(tmp_path / "species" / "automl.toml")

    assert life._is_as_generated(config)
    stricter = config.gate.model_copy(update={"minimum": 0.9, "maximum": None})
    assert not life._is_as_generated(config.model_copy(update={"gate": stricter}))


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """`make demo` of a table, with results of its own and without the rehearsal: what it says, and the project."""
    results = tmp_path / "demo"
    for module in (showcase, first_look):
        monkeypatch.setattr(module, "RESULTS", results)
    rehearsed: list[Path] = []
    monkeypatch.setattr(showcase, "_wait", lambda _, folder: rehearsed.append(folder) or 0)
    monkeypatch.setenv("DATA", str(write(tmp_path / "movies.csv", "Age,Stars,Hit", "No Yes")))

    def run(capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
        assert showcase.main() == 0
        return rehearsed[-1], capsys.readouterr().out

    return run


def parquet(path: Path, **columns: list[str | None]) -> str:
    """A table of 700 rows and a target of two classes, with ``columns`` beside them."""
    rows = {"x": [f"{row % 97}" for row in range(700)], **columns}
    rows["hit"] = [*rows.pop("hit", [])] or [("no", "yes")[row % 2] for row in range(700)]
    pyarrow.parquet.write_table(pyarrow.table(rows), path)
    return str(path)


def test_a_project_goes_again_where_its_file_is_refused(demo, capsys, monkeypatch, tmp_path):
    labels = [None if row == 4 else "yes" if row % 2 else "no" for row in range(700)]
    monkeypatch.setenv("DATA", parquet(tmp_path / "clicks.parquet", hit=labels))

    for _ in range(2):
        with pytest.raises(SystemExit, match="2"):
            showcase.main()

        said = capsys.readouterr().err
        assert "row 5 has no value" in said
        assert "(edit " not in said
        assert not (tmp_path / "demo" / "clicks").exists()

    monkeypatch.setenv("DATA", parquet(tmp_path / "clicks.parquet"))
    project, _ = demo(capsys)
    assert project == tmp_path / "demo" / "clicks"


def test_a_project_stays_where_it_can_be_edited_for_the_file(demo, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA", parquet(tmp_path / "clicks.parquet", empty=[""] * 700))

    with pytest.raises(SystemExit, match="2"):
        showcase.main()

    file = tmp_path / "demo" / "clicks" / "automl.toml"
    said = capsys.readouterr().err
    assert 'exclude = ["empty"]' in said
    assert f"(edit {file}, or remove the folder" in said
    file.write_text(file.read_text().replace("[dataset]\n", '[dataset]\nexclude = ["empty"]\n'))
    assert demo(capsys)[0] == file.parent


def test_what_somebody_edited_is_rehearsed_as_it_stands(demo, capsys):
    project, said = demo(capsys)
    assert f"{project} is generated for" in said
    file = project / "automl.toml"
    generated = file.read_text()
    mine = generated.replace("minimum = 0.0", "minimum = 0.7")
    assert mine != generated
    file.write_text(mine)

    for _ in range(2):
        again, said = demo(capsys)

        assert (again, file.read_text()) == (project, mine)
        assert f"{project} was edited since it was generated: it is rehearsed as it stands" in said
        assert "is generated for" not in said


def test_what_nobody_edited_is_generated_anew(demo, capsys, monkeypatch):
    project, _ = demo(capsys)
    for left in ("build/demo/project/automl.toml", "evaluation/__pycache__/x.pyc", ".DS_Store"):
        (project / left).parent.mkdir(parents=True, exist_ok=True)
        (project / left).write_text("of no owner")
    monkeypatch.setenv("TARGET", "Stars")

    again, said = demo(capsys)

    assert again == project
    assert "is generated for" in said
    assert Config.load(project / "automl.toml").dataset.target == "Stars"


def test_another_target_for_an_edited_project_is_refused(demo, capsys, monkeypatch):
    project, _ = demo(capsys)
    (project / "notes.md").write_text("mine")
    monkeypatch.setenv("TARGET", "Stars")

    with pytest.raises(SystemExit, match="2"):
        showcase.main()

    assert f"the target stands in {project / 'automl.toml'}" in capsys.readouterr().err


def test_a_generation_that_was_broken_off_is_nobody_s_work(demo, capsys):
    project, _ = demo(capsys)
    Record(project).begin()
    assert not (project / "automl.toml").exists()

    _, said = demo(capsys)

    assert "is generated for" in said
    assert (project / "automl.toml").exists()


@pytest.mark.parametrize(
    "work",
    [
        lambda project: (project / "README.md").write_text("mine"),
        lambda project: (project / "README.md").unlink(),
        lambda project: (project / "dataset.lock").touch(),
        lambda project: (project / ".gitignore").write_text("mine"),
        lambda project: (project / ".git").mkdir(),
        lambda project: (project.parent / ".generated" / "movies.json").unlink(),
    ],
)
def test_any_work_in_a_project_counts(tmp_path, work):
    project = tmp_path / "movies"
    for file in ("automl.toml", "README.md", ".gitignore"):
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).write_text(file)
    record = Record(project)
    record.end()
    assert not record.is_edited()

    work(project)

    assert record.is_edited()


@pytest.mark.parametrize(
    "wish",
    [
        Wish("movies.csv"),
        Wish("folder.x/con.csv.gz", target="y"),
        Wish(target="Will they?"),
        Wish(problem="Regression"),
        Wish(),
    ],
)
def test_the_project_s_name_is_known_before_the_table_is_read(wish):
    of_file = of_table(wish.path, wish.target or "target", "Regression", [], [])

    answers = of_file if wish.data else answer(wish)

    assert called(wish.data, wish.target, wish.problem) == answers.get("project", "readmission")
