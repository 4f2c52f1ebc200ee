"""Files of a project, a cache, a remote, each made wrong at random: an answer, always, and soon.

300 mutations here; MUTATIONS=5000 by `scripts/fuzz` and `scripts/torture`. Each number is a seed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.support import inside
from tests.support.ladder import tell
from tests.support.mutate import mutated
from tests.support.repo import RepoBuilder
from tests.support.stranger import CLEAN, Machine, pointer, put_object

MUTATIONS = int(os.environ.get("MUTATIONS", "300"))
GROUPS = 10
LIMIT_S = 10
COMMANDS = (
    ("status", "-q"),
    ("pull",),
    ("checkout", "--force"),
    ("diff", "HEAD"),
    ("list", "-R", "--json"),
    ("push",),
    ("add", "d"),
    ("undo",),
    ("fsck",),
    ("gc", "-w", "--dry-run"),
    ("config", "--list"),
    ("remote", "list"),
    ("check-ignore", "d/a"),
)

Place = Callable[[Path, Path, random.Random], None]
"""Makes one file of a project and its remote wrong."""


def file(name: str) -> Place:
    def change(root: Path, remote: Path, drawn: random.Random) -> None:
        path = root / name
        path.write_bytes(mutated(path.read_bytes(), drawn))

    return change


def some_file(folder: str) -> Place:
    def change(root: Path, remote: Path, drawn: random.Random) -> None:
        found = sorted(path for path in (root / folder).rglob("*") if path.is_file())
        path = drawn.choice(found)
        path.write_bytes(mutated(path.read_bytes(), drawn))

    return change


def tree_in_cache(root: Path, remote: Path, drawn: random.Random) -> None:
    """Change a list of files, its name too, so that only its reader can refuse it."""
    wrong = mutated((root / "tree").read_bytes(), drawn)
    digest = put_object(root / ".datavc/cache", wrong)
    (root / "d.datavc").write_text(pointer("d", digest, "directory"))


def tree_on_remote(root: Path, remote: Path, drawn: random.Random) -> None:
    digest = put_object(remote, mutated((root / "tree").read_bytes(), drawn))
    (root / "d.datavc").write_text(pointer("d", digest, "directory"))


def object_in_cache(root: Path, remote: Path, drawn: random.Random) -> None:
    """Change an object and not its name."""
    found = sorted(path for path in (root / ".datavc/cache/objects").rglob("*") if path.is_file())
    path = drawn.choice(found)
    path.chmod(0o644)
    path.write_bytes(mutated(path.read_bytes(), drawn))


PLACES: dict[str, Place] = {
    "pointer of a directory": file("d.datavc"),
    "pointer of a file": file("f.datavc"),
    "config": file(".datavc/config.toml"),
    "own config": file(".datavc/config.local.toml"),
    "ignore file": file(".datavcignore"),
    "Git's ignore file": file(".gitignore"),
    "attributes": file(".gitattributes"),
    "tree in the cache": tree_in_cache,
    "tree on the remote": tree_on_remote,
    "object in the cache": object_in_cache,
    "state": some_file(".datavc/state"),
    "operations": some_file(".datavc/ops"),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a project, `repo`, and its remote, where everything is right."""
    base = tmp_path_factory.mktemp("template")
    repo = RepoBuilder(base / "repo")
    repo.git("config", "core.hooksPath", "/dev/null")
    repo.write(".datavcignore", "*.tmp\n!keep.tmp\n/cache/**\nnotes/\n")
    for name in ("a", "b", "c/d", "c/e", "c/ü\n", "z"):
        repo.write(f"d/{name}", name * 20)
    (repo.root / "d/link").symlink_to("c/d")
    (repo.root / "d/empty").mkdir()
    (repo.root / "d/z").chmod(0o755)
    repo.write("f", "some file")
    repo.run("remote", "add", "-d", "store", "../remote")
    repo.run("remote", "modify", "--local", "store", "jobs", "2")
    repo.run("add", "d", "f", "--desc", 'what it is: a "text"', "--label", "one")
    repo.commit("data")
    repo.run("push")
    shutil.rmtree(repo.root / "d/c")
    repo.run("checkout")
    digest = (repo.root / "d.datavc").read_text().partition("blake3:")[2][:64]
    shutil.copy(
        repo.root / f".datavc/cache/objects/blake3/{digest[:2]}/{digest[2:]}", repo.root / "tree"
    )
    with open(repo.root / ".git/info/exclude", "a") as exclude:
        exclude.write("/tree\n")
    return base


@pytest.fixture
def clocked() -> Iterator[None]:
    """Interrupt what takes longer than it may."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def gits_own(root: Path) -> dict[str, bytes]:
    """Return the files by which Git could be led to run something."""
    found = [root / ".git/config", *sorted((root / ".git/hooks").iterdir())]
    return {path.name: path.read_bytes() for path in found}


def one_mutation(seed: int, template: Path, base: Path) -> None:
    drawn = random.Random(seed)
    shutil.copytree(template, base, symlinks=True)
    root, remote = base / "repo", base / "remote"
    place = list(PLACES)[seed % len(PLACES)]
    PLACES[place](root, remote, drawn)
    if drawn.random() < 0.5:
        shutil.rmtree(root / "d")
    for command in drawn.sample(COMMANDS, 3):
        signal.alarm(LIMIT_S)
        done = inside.run(root, *command)
        signal.alarm(0)
        assert done.code in CLEAN, (seed, place, command, done)
        assert "Traceback" not in done.stderr, (seed, place, command, done)
    assert set(os.listdir(base)) <= {"repo", "remote"}, (seed, place)
    assert gits_own(root) == gits_own(template / "repo"), (seed, place)
    shutil.rmtree(base)


@pytest.mark.timeout(600 + MUTATIONS)
@pytest.mark.parametrize("group", range(GROUPS))
def test_a_mutated_file_never_ends_in_a_bug(
    machine: Machine,
    template: Path,
    clocked: None,
    group: int,
    record_property: Callable[[str, object], None],
):
    seeds = range(group, MUTATIONS, GROUPS)
    for seed in seeds:
        one_mutation(seed, template, machine.folder / "world")
        tell()
    record_property("figure", f"{len(seeds)} mutations")
