"""`make demo-github`: the workflows of a generated project, one after the other, as GitHub would run and show them."""

import argparse
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from act import Run
from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from scenes import Life, small, table
from stage import Stage

console = Console(width=110)


class Demo:
    """Plays the scenes and prints what a person would look at."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._github = life.stage.github
        self._started = time.monotonic()
        self.red: list[str] = []

    def play(self) -> None:
        """From the first push to the teardown."""
        life, stage = self._life, self._life.stage
        self._scene("The generated project is pushed to GitHub; nothing is set up yet", life.first_push())
        self._title("An administrator runs `make bootstrap`, once")
        for setting in life.set_up()["settings"]:
            console.print(f"  {setting['name']}: {setting['outcome']} {setting['detail']}")
        number = life.propose_data()
        self._scene("A data scientist opens a pull request with a data set", [stage.check(number)])
        self._shown("The one comment on it", self._github.comments[number][0]["body"])
        runs = stage.merge(number)
        self._scene("The pull request is merged", runs)
        self._shown("The run's page", runs[0].summary)
        proposal = life.promotion()
        pull = self._github.pulls[proposal]
        self._shown(f"The pull request that the workflow opened: {pull['title']}", pull["body"])
        self._scene("A reviewer merges it", stage.merge(proposal))
        self._serving()
        number = life.propose_harder_gate()
        runs = stage.merge(number)
        self._scene("A change is merged whose model the gate rejects", runs, red="retrain.yml")
        self._shown("The run's page", runs[0].summary.partition("####")[0])
        self._serving()
        life.propose_copy()
        self._scene("A second version is proposed, and merged", stage.merge(life.promotion()))
        self._serving()
        self._scene("That merge is reverted", life.revert())
        self._serving()
        stage.aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{stage.name}-production-5xx"])
        runs = [stage.dispatch("drift.yml")]
        self._scene("Somebody deletes an alarm by hand; the daily comparison sees it", runs, red="drift.yml")
        (issue,) = self._github.issues.values()
        self._shown(f"The issue that it opened: {issue['title']}", issue["body"])
        self._scene(
            "Promote is run by hand, then the comparison",
            [stage.dispatch("promote.yml"), stage.dispatch("drift.yml")],
        )
        console.print(f"  the issue is {self._github.issues[issue['number']]['state']}")
        runs = [stage.dispatch("teardown.yml", project=stage.name, delete_data="true")]
        self._scene("Teardown is run by hand, with the project's name typed in", runs)

    def _scene(self, title: str, runs: list[Run], red: str = "") -> None:
        self._title(title)
        for run in runs:
            expected = run.green == (run.workflow != red)
            console.print(
                f"  {run.workflow}: {'green' if run.green else 'red'}", style="green" if run.green else "red"
            )
            for job, result in run.jobs.items():
                console.print(f"    {job}: {result}")
            for one in run.annotations:
                console.print(f"    {one.kind}: {one.text}", markup=False)
            if not expected:
                self.red.append(run.workflow)
                console.print(run.log[-6000:], markup=False)

    def _title(self, title: str) -> None:
        console.rule(f"{title} ({time.monotonic() - self._started:.0f} s)", align="left")

    def _shown(self, title: str, text: str) -> None:
        console.print(f"[bold]{title}[/bold]")
        text = re.sub(r"<!--.*?-->\n?", "", text)
        text = re.sub(r"<details><summary>(.*?)</summary>", r"**> \1**", text).replace("</details>", "")
        console.print(Padding(Markdown(text.replace("&lt;", "\\<")), (0, 0, 1, 4)))

    def _serving(self) -> None:
        console.print(f"  Git names {self._life.named()} for production")


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path, help="a generated project; it stays as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="demo-github-") as name:
        folder = Path(name)
        project = folder / "project" / given.project.resolve().name
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")
        shutil.copytree(given.project, project, ignore=ignored)
        small(project)
        with Stage(project, folder) as stage:
            demo = Demo(Life(stage, project, table(folder / "table.csv"), "--synthetic"))
            demo.play()
    if demo.red:
        console.print(f"not as it should be: {', '.join(demo.red)}", style="red")
    return 1 if demo.red else 0


if __name__ == "__main__":
    sys.exit(main())
