import pytest

TEXT = """\
stages:
  one:
    # why
    cmd: x   # what
  many:
    foreach: [1, 2]
    do:
      cmd: y ${item}
"""


@pytest.fixture
def project(repo):
    repo.write("datavc.yaml", TEXT)
    repo.write("sub/datavc.yaml", "stages:\n  one: {cmd: x}\n")
    return repo


def test_freeze_writes_one_line_and_unfreeze_takes_it_out(project):
    done = project.run("freeze", "one", "many")
    frozen = project.read("datavc.yaml").decode()
    project.run("unfreeze", "many", "one")

    assert done.stdout.splitlines() == [
        "one (datavc.yaml) is now frozen",
        "many (datavc.yaml) is now frozen",
    ]
    assert frozen == TEXT.replace("    cmd: x", "    frozen: true\n    cmd: x").replace(
        "      cmd: y", "      frozen: true\n      cmd: y"
    )
    assert project.read("datavc.yaml").decode() == TEXT


def test_a_frozen_stage_is_listed_so_and_freezing_it_again_changes_nothing(project):
    project.run("freeze", "sub/datavc.yaml:one")

    again = project.run("freeze", "one", cwd="sub")

    assert again.stdout == "one (sub/datavc.yaml) was frozen\n"
    assert project.read("sub/datavc.yaml") == b"stages:\n  one: {frozen: true, cmd: x}\n"
    assert '"frozen": true' in project.run("stage", "list", "--json", cwd="sub").stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("many@1", "which change together"),
        ("oen", "did you mean one?"),
        ("raw.csv", "raw.csv is no stage"),
    ],
)
def test_nothing_is_frozen_if_one_name_is_wrong(project, name, said):
    project.write("raw.csv", "1\n")
    project.run("add", "raw.csv")

    done = project.run("freeze", "one", name, check=False)

    assert done.code == 1
    assert said in done.stderr
    assert project.read("datavc.yaml").decode() == TEXT


def test_a_stage_that_may_be_in_a_file_that_is_no_yaml_is_not_said_to_be_missing(project):
    project.write("other/datavc.yaml", "stages: [\n")

    said = project.run("freeze", "far", check=False).stderr

    assert "other/datavc.yaml:" in said
