"""Where two names are one, as on macOS and Windows: one file never stands for two in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import cloned
from tests.support import soundness
from tests.support.mounts import needs_fuse, one_name
from tests.support.repo import RepoBuilder
from tests.support.versions import lay

pytestmark = needs_fuse

TWINS = {
    "case": {"data/Name": b"one", "data/name": b"two!", "data/other": b"three"},
    "form": {"data/u\u0308": b"one", "data/\u00fc": b"two!", "data/other": b"three"},
    "case of outputs": {"Data": b"one", "data": b"two!", "other": b"three"},
}


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of this kind."""
    with one_name(tmp_path) as root:
        yield root


@pytest.mark.parametrize("kind", TWINS)
def test_r68_twins_are_not_checked_out_as_one_file(
    repo: RepoBuilder, tmp_path: Path, mounted: Path, kind: str
) -> None:
    twins = TWINS[kind]
    for path, content in twins.items():
        repo.write(path, content)
    repo.run("add", "--quiet", *sorted({path.split("/")[0] for path in twins}))
    repo.commit("twins")
    repo.run("remote", "add", "--quiet", "--local", "-d", "folder", str(tmp_path / "remote"))
    repo.run("push", "--quiet")
    clone = cloned(repo, mounted / "clone", tmp_path / "remote")
    first, second, other = twins

    for command in (("pull",), ("checkout",), ("checkout", "--force")):
        done = clone.run(*command, check=False)
        assert "Warning: " in done.stderr or done.code == 3, done
        assert second in done.stderr
        assert clone.read(first) in (twins[first], twins[second])
        assert clone.read(other) == twins[other]
    looked = clone.run("status", "--json", "--granular")
    assert second in looked.stderr + "".join(json.loads(looked.stdout).get("not_fetched", []))
    assert soundness.torn(clone.root / ".datavc/cache") == []


@pytest.mark.parametrize("names", [("Name", "name"), ("In/side", "in/side"), ("a/ü", "a/ü")])
def test_a_name_that_changed_only_its_case_or_form_arrives(
    repo: RepoBuilder, tmp_path: Path, mounted: Path, names: tuple[str, str]
) -> None:
    for turn, name in enumerate(names):
        lay(repo, {name: b"same", "other": b"x"})
        repo.run("add", "--quiet", "data")
        repo.commit(name)
        if turn == 0:
            repo.run("remote", "add", "--quiet", "--local", "-d", "f", str(tmp_path / "remote"))
            repo.run("push", "--quiet")
            clone = cloned(repo, mounted / "clone", tmp_path / "remote")
            clone.run("pull", "--quiet")
    repo.run("push", "--quiet")
    clone.git("pull", "--quiet")
    clone.run("pull")
    assert clone.tree("data") == {names[1]: b"same", "other": b"x"}
    assert clone.run("status", "--json").stdout == "{}\n"
