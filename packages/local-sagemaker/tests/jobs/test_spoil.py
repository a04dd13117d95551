"""A model archive that is spoiled: its model loads, and fails at each request."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from jobs_kit import BUCKET, PRICE, RETURNS, SPECIES, Site, rows, text

import local_sagemaker
from local_sagemaker.__main__ import main
from local_sagemaker.serving import Predictor


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "model.tar.gz"
    (tmp_path / "other.txt").write_text("no model")
    with tarfile.open(file, "w:gz") as tar:
        tar.add(tmp_path / "other.txt", arcname="other.txt")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SPECIES, RETURNS, PRICE])
def test_a_spoiled_model_loads_and_answers_nothing(site: Site, kind: str, tmp_path: Path) -> None:
    containers = [dict(c) for c in site.trained(kind)["BestCandidate"]["InferenceContainers"]]
    file = tmp_path / "model.tar.gz"
    file.write_bytes(site.get(containers[0]["ModelDataUrl"]))
    with tarfile.open(file) as tar:
        names = tar.getnames()
    file.chmod(0o640)

    local_sagemaker.spoil(file)

    with tarfile.open(file) as tar:
        assert tar.getnames() == names
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]
    containers[0]["ModelDataUrl"] = site.put(f"spoiled/{kind}.tar.gz", file.read_bytes())
    predictor = Predictor.start(containers, site.aws.environment, site.aws.region)
    try:
        whole = [row[:-1] for row in rows(kind, 3)]
        for table in (whole, [row[:-1] for row in whole]):
            with pytest.raises((local_sagemaker.BadInput, local_sagemaker.ModelError)):
                predictor.predict(text(table).encode())
    finally:
        predictor.stop()


@pytest.mark.slow
def test_the_command_spoils_in_place(site: Site, tmp_path: Path) -> None:
    uri = site.trained(SPECIES)["BestCandidate"]["InferenceContainers"][0]["ModelDataUrl"]
    by_command, by_function = tmp_path / "command.tar.gz", tmp_path / "function.tar.gz"
    for file in (by_command, by_function):
        file.write_bytes(site.get(uri))
    local_sagemaker.spoil(by_function)

    assert main(["spoil", str(by_command)]) == 0
    with tarfile.open(by_command) as one, tarfile.open(by_function) as two:
        assert one.extractfile("model.json").read() == two.extractfile("model.json").read()
    assert BUCKET in uri


def test_a_file_without_a_model_stays_as_it_is(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = archive.read_bytes()

    with pytest.raises(ValueError, match=r"it has no model\.json"):
        local_sagemaker.spoil(archive)
    assert main(["spoil", str(archive)]) == 2
    assert capsys.readouterr().err == (
        f"{archive} is not a model archive of the local Autopilot: it has no model.json\n"
    )
    assert archive.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b\x08broken"])
def test_what_is_no_archive_stays_as_it_is(archive: Path, content: bytes) -> None:
    archive.write_bytes(content)

    with pytest.raises(ValueError, match="is not a model archive"):
        local_sagemaker.spoil(archive)
    assert archive.read_bytes() == content


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spoil", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none'}: No such file or directory\n"
