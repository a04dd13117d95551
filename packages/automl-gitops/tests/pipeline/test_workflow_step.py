from __future__ import annotations

from pathlib import Path

import pytest

from automl_gitops.kernel import workflow_step


def test_outside_a_workflow_there_is_none(monkeypatch):
    monkeypatch.delenv(workflow_step.SUMMARY, raising=False)

    assert not workflow_step.append_summary("text")


def test_texts_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(workflow_step.SUMMARY, str(tmp_path / "summary.md"))

    assert workflow_step.append_summary("one")
    assert workflow_step.append_summary("two\n")

    assert (tmp_path / "summary.md").read_text() == "one\n\ntwo\n\n"


def test_more_than_github_takes_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "summary.md"
    monkeypatch.setenv(workflow_step.SUMMARY, str(path))

    for _ in range(3):
        workflow_step.append_summary("ä" * 400_000)

    assert path.stat().st_size <= workflow_step.MOST_BYTES
    assert path.read_text().count("(cut:") == 1


def test_outputs_are_a_line_each_and_nothing_outside_a_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(workflow_step.OUTPUTS, raising=False)
    workflow_step.set_outputs({"execution": "one"})
    monkeypatch.setenv(workflow_step.OUTPUTS, str(tmp_path / "outputs"))

    workflow_step.set_outputs({"execution": "abcd", "ended": "true"})
    workflow_step.set_outputs({"to-stage": "abcd"})

    assert (tmp_path / "outputs").read_text() == "execution=abcd\nended=true\nto-stage=abcd\n"
