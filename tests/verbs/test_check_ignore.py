"""check-ignore: the answers, and the lines that give them."""

from __future__ import annotations

import json

import pytest

from datavc.core.errors import PathError
from datavc.verbs.check_ignore import check_ignore
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.work import Work

PATTERNS = "# notes\n*.log\nsecret/\n*.txt\n!keep.txt\n"


@pytest.fixture
def asked(repo: RepoBuilder) -> RepoBuilder:
    """Return a project with patterns."""
    repo.write(".datavcignore", PATTERNS)
    repo.write("d/.datavcignore", "b.log\n")
    return repo


def test_paths_that_match_are_printed_and_the_code_tells(asked: RepoBuilder) -> None:
    some = asked.run("check-ignore", "a.log", "a.csv", "keep.txt")
    none = asked.run("check-ignore", "a.csv", check=False)

    assert (some.stdout, some.code) == ("a.log\n", 0)
    assert (none.stdout, none.code) == ("", 1)


def test_details_name_file_line_and_pattern(asked: RepoBuilder) -> None:
    done = asked.run("check-ignore", "-d", "a.log", "a.csv")
    with_others = asked.run("check-ignore", "-d", "-n", "a.csv", check=False)

    assert done.stdout == ".datavcignore:2:*.log\ta.log\n"
    assert (with_others.stdout, with_others.code) == ("::\ta.csv\n", 1)


def test_all_shows_every_line_the_deciding_one_last(asked: RepoBuilder) -> None:
    last = asked.run("check-ignore", "-d", "d/b.log").stdout
    every = asked.run("check-ignore", "-d", "-a", "d/b.log").stdout

    assert last == "d/.datavcignore:1:b.log\td/b.log\n"
    assert every == ".datavcignore:2:*.log\td/b.log\n" + last


def test_paths_come_from_standard_input_too(asked: RepoBuilder) -> None:
    done = asked.start("sh", "-c", f"printf 'a.log\\na.csv\\n' | {PROGRAM} check-ignore --stdin")

    assert done.stdout == "a.log\n"


@pytest.mark.parametrize(
    "arguments", [("-n", "a"), ("-a", "a"), (), ("--stdin", "a")], ids=" ".join
)
def test_options_that_make_no_sense_are_refused(
    asked: RepoBuilder, arguments: tuple[str, ...]
) -> None:
    assert asked.run("check-ignore", *arguments, check=False).code == 2


def test_json_has_every_path(asked: RepoBuilder) -> None:
    found = json.loads(asked.run("check-ignore", "--json", "a.log", "keep.txt").stdout)

    assert found[0] == {
        "path": "a.log",
        "ignored": True,
        "rules": [{"file": ".datavcignore", "line": 2, "pattern": "*.log"}],
    }
    assert not found[1]["ignored"]
    assert [rule["pattern"] for rule in found[1]["rules"]] == ["*.txt", "!keep.txt"]


def test_folders_and_what_is_below_them(work: Work) -> None:
    work.write(".datavcignore", PATTERNS)
    (work.root / "here/secret").mkdir(parents=True)

    found = check_ignore(work.repo("here"), ["secret", "gone/secret/", "secret/x.csv", "secret2"])

    assert [checked.ignored for checked in found.checked] == [True, True, True, False]
    assert not check_ignore(work.repo(), ["."]).checked[0].ignored
    with pytest.raises(PathError, match="outside the project"):
        check_ignore(work.repo(), ["../x"])
