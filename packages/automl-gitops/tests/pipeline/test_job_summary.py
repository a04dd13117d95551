from __future__ import annotations

from pathlib import Path

import pytest

from automl_gitops.kernel import job_summary


def test_outside_a_workflow_there_is_none(monkeypatch):
    monkeypatch.delenv(job_summary.VARIABLE, raising=False)

    assert not job_summary.append("text")


def test_texts_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(job_summary.VARIABLE, str(tmp_path / "summary.md"))

    assert job_summary.append("one")
    assert job_summary.append("two\n")

    assert (tmp_path / "summary.md").read_text() == "one\n\ntwo\n\n"


def test_more_than_github_takes_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "summary.md"
    monkeypatch.setenv(job_summary.VARIABLE, str(path))

    for _ in range(3):
        job_summary.append("ä" * 400_000)

    assert path.stat().st_size <= job_summary.MOST_BYTES
    assert path.read_text().count("(cut:") == 1
