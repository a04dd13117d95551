"""What a release names in several files is the same in all of them."""

import re
import tomllib

import pytest
from conftest import ROOT

DOCUMENTS = ("README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_changelog_begins_with_the_version_of_the_package():
    headings = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )

    assert headings[0][0] == VERSION
    assert headings == sorted(
        headings, key=lambda heading: [int(part) for part in heading[0].split(".")], reverse=True
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_tag_that_a_document_names_is_of_this_version_and_its_links_lead_somewhere(name):
    text = (ROOT / name).read_text()

    assert set(re.findall(r"--checkout v(\d+\.\d+\.\d+)", text)) <= {VERSION}
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_licence_is_the_whole_apache_licence():
    text = (ROOT / "LICENSE").read_text()

    assert "Version 2.0, January 2004" in text
    assert all(f"\n   {section}. " in text for section in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text
