"""The house itself: who may import whom, how long files get, that everything has its page."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from datavc.core import errors
from tests.support.repo import RepoBuilder

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "datavc"
DOCS = PACKAGE / "docs"
LONGEST = 400
"""Lines a file may have at most; 300 is the aim."""

LIBRARIES = {"git", "gitdb", "fsspec", "s3fs", "obstore", "asyncio", "rich", "yaml"}
STATUS_NEVER = LIBRARIES | {"typer", "inspect", "dataclasses", "logging", "subprocess", "pathlib"}
VERSION_NEVER = STATUS_NEVER | {"click", "re", "json", "msgspec"}


def modules(folder: Path) -> set[str]:
    """Return the names of a folder's modules that are not private."""
    return {file.stem for file in folder.glob("*.py") if not file.stem.startswith("_")}


def commands() -> list[str]:
    """Return the names of the commands that users see."""
    table = importlib.import_module("datavc.cli.app").TABLE
    return [name for name, text in table.items() if text]


def plumbing() -> set[str]:
    """Return the modules of the commands that Git runs."""
    return set(importlib.import_module("datavc.cli.main").PLUMBING.values())


def loaded(*arguments: str, where: Path) -> set[str]:
    """Return the top-level packages and modules that a run of datavc has imported at its end."""
    program = (
        "import atexit, os, sys\n"
        "atexit.register(lambda: os.write(3, ' '.join(sys.modules).encode()))\n"
        "import datavc.cli.main\n"
        f"sys.argv = ['datavc', *{list(arguments)!r}]\n"
        "datavc.cli.main.main()\n"
    )
    names = where / "loaded.txt"
    shell = ["sh", "-c", 'exec 3>"$1"; shift; exec "$@"', "sh", str(names)]
    done = subprocess.run(
        [
            *shell,
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path = {sys.path!r}\n{program}",
        ],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in names.read_text().split()}


def test_imports_only_go_down():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_a_person_can_hold_in_mind():
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_bytes().splitlines())
        for folder in ("datavc", "tests", "scripts")
        for file in (ROOT / folder).rglob("*.py")
    }

    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_nothing_is_called_a_helper():
    forbidden = {"util", "utils", "helper", "helpers", "manager", "misc", "common"}

    assert [str(file) for file in PACKAGE.rglob("*.py") if file.stem in forbidden] == []


def test_each_verb_has_a_command_or_serves_one_that_has():
    named = {name.replace("-", "_") for name in commands()} | plumbing()
    sources = [file for part in ("verbs", "cli") for file in (PACKAGE / part).rglob("*.py")]
    used = {
        name
        for file in sources
        for line in re.findall(
            r"^ *from datavc\.verbs(?:\.\w+)? import .+$", file.read_text(), re.M
        )
        for name in re.findall(r"\w+", line)
        if name != file.stem
    }

    others = {
        verb for verb in modules(PACKAGE / "verbs") if verb.removesuffix("_files") not in named
    }

    assert others <= used


def test_the_table_of_commands_and_their_modules_agree():
    named = {name.replace("-", "_") for name in commands()}

    assert modules(PACKAGE / "cli" / "commands") == named | plumbing()


def test_help_of_each_command_shows_an_example(tmp_path: Path):
    user = RepoBuilder(tmp_path, init=False)

    pages = {name: user.run(name, "--help").stdout for name in commands()}

    lacking = [
        name
        for name, page in pages.items()
        if not re.search(rf"^\W*(git .* && )?datavc {re.escape(name)}\b", page, re.MULTILINE)
    ]
    assert lacking == []


def test_readme_lists_every_command_and_no_other():
    rows = re.findall(r"^\| `([a-z -]+)`", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert {row.split()[0] for row in rows} == set(commands())


def test_each_setting_is_documented():
    keys = importlib.import_module("datavc.repo.config_keys")
    page = (DOCS / "config.md").read_text()

    names = [key.name for key in (*keys.KEYS, *keys.REMOTE_KEYS)]

    assert [name for name in names if f"`{name}`" not in page] == []


def test_each_exit_code_is_documented():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.DatavcError)}
    rows = re.findall(r"^\| ([\d, ]+) \|", (DOCS / "tour.md").read_text(), re.MULTILINE)
    documented = {int(code) for row in rows for code in row.split(",")}

    assert codes | {0, 3, 7, 130, 141, 143, 255} <= documented


def test_each_error_stands_in_the_tree_at_the_top_of_its_module():
    shown = dict(re.findall(r"^ +[├└]── (\w+) +(\d+) ", errors.__doc__, re.MULTILINE))

    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    real = {
        kind.__name__: str(kind.exit_code) for kind in kinds if kind.__base__ is errors.DatavcError
    }

    assert shown == real


def test_status_imports_neither_git_nor_the_network(tmp_path: Path):
    repo = RepoBuilder(tmp_path)
    repo.write("data/a", b"1")
    repo.run("add", "data")
    repo.commit("one")
    time.sleep(0.05)
    repo.run("status")  # has read what was too young to be trusted

    assert loaded("status", where=tmp_path) & STATUS_NEVER == set()


def test_version_imports_next_to_nothing(tmp_path: Path):
    assert loaded("--version", where=tmp_path) & VERSION_NEVER == set()


def test_each_dependency_has_its_reason_and_its_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    note = (DOCS / "design" / "0002-dependencies.md").read_text()
    locked = (ROOT / "requirements" / "ci.txt").read_text()

    names = [re.match(r"[\w.-]+", each)[0] for each in (*project["dependencies"], *extras)]
    base = [name.replace(".", "-") for name in names[: len(project["dependencies"])]]

    assert [name for name in names if f" {name} " not in note] == []
    assert [name for name in base if not re.search(rf"^{name}==", locked, re.MULTILINE)] == []


LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.stem for lock in LOCKS])
def test_lock_names_no_host_and_a_hash_for_everything(lock: Path):
    locked = lock.read_text()

    assert "://" not in locked
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=\w)", locked))


def test_the_parts_list_is_of_the_versions_that_are_tested():
    base, tested = (
        set(re.findall(r"^\S+==[^\s;]+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("base.txt", "ci.txt")
    )

    assert base
    assert base - tested == set()


def test_wheel_holds_code_and_documentation_and_is_the_same_every_time(tmp_path: Path):
    wheels = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        wheels += folder.glob("*.whl")
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc"]

    held = set(zipfile.ZipFile(wheels[0]).namelist())

    shipped = {name for name in held if name.startswith("datavc/")}
    assert shipped == {str(file.relative_to(ROOT)) for file in files}
    assert {"datavc/py.typed", "datavc/docs/tour.md"} <= shipped
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_links_between_pages_lead_somewhere():
    for page in (*ROOT.glob("*.md"), *DOCS.rglob("*.md")):
        for topic in re.findall(r"`datavc help ([a-z-]+)`", page.read_text()):
            assert list(DOCS.glob(f"{topic}.md")) or (DOCS / topic).is_dir(), (page, topic)
