import json

import pytest

TEXT = """\
stages:
  prepare:
    cmd: x
    deps: [raw.csv]
    outs: [p]
  train:
    foreach: [1, 2]
    do:
      cmd: x
      deps: [p]
      outs: ["m${item}"]
  evaluate:
    cmd: x
    deps: [m1, m2, test]
    outs: [e]
  apart:
    cmd: x
    outs: ['odd "name"']
"""


@pytest.fixture
def project(repo):
    repo.write("raw.csv", "1\n")
    repo.write("test/a.csv", "1\n")
    repo.run("add", "raw.csv", "test/a.csv")
    repo.write("datavc.yaml", TEXT)
    repo.write("sub/datavc.yaml", "stages:\n  report:\n    cmd: x\n    deps: [../e]\n")
    return repo


def test_each_stage_stands_below_all_that_it_needs(project):
    assert project.run("dag").stdout.splitlines() == [
        "○ raw.csv.datavc",
        "● prepare",
        "├─╮",
        "│ ● train@1",
        "● │ train@2",
        "│ │ ○ test/a.csv.datavc",
        "├─┴─╯",
        "● evaluate",
        "● sub/datavc.yaml:report",
        "",
        "● apart",
    ]


def test_a_target_is_drawn_with_what_it_needs_and_full_with_all_around_it(project):
    def names(*arguments):
        drawn = json.loads(project.run("dag", "--json", *arguments).stdout)
        return [node["name"] for node in drawn["nodes"]]

    assert names("train@2") == ["raw.csv.datavc", "prepare", "train@2"]
    assert names("m2") == names("train@2")
    assert names("raw.csv") == names("raw.csv.datavc") == ["raw.csv.datavc"]
    assert len(names("--full", "train@2")) == len(names()) - 1
    assert names("-o", "e") == ["raw.csv", "p", "m1", "m2", "test/a.csv", "e"]
    assert names("--collapse-foreach-matrix", "train") == ["raw.csv.datavc", "prepare", "train"]


def test_graphviz_and_mermaid_get_quoted_names(project):
    dot = project.run("dag", "--outs", "--dot").stdout.splitlines()
    mermaid = project.run("dag", "--outs", "--mermaid").stdout.splitlines()
    markdown = project.run("dag", "--outs", "--md").stdout.splitlines()

    assert dot[0] == "strict digraph {"
    assert '"odd \\"name\\"";' in dot
    assert '"p" -> "m1";' in dot
    assert '\tnode1["raw.csv"]' in mermaid
    assert any('["odd #34;name#34;"]' in line for line in mermaid)
    assert "\tnode1-->node2" in mermaid
    assert markdown == ["```mermaid", *mermaid, "```"]


def test_programs_get_nodes_and_edges(project):
    found = json.loads(project.run("dag", "--json", "prepare").stdout)

    assert found == {
        "nodes": [
            {"name": "raw.csv.datavc", "kind": "data"},
            {"name": "prepare", "kind": "stage"},
        ],
        "edges": [{"from": "raw.csv.datavc", "to": "prepare"}],
    }


def test_a_circle_is_an_error_that_names_it(project):
    project.write("datavc.yaml", TEXT.replace("deps: [raw.csv]", "deps: [raw.csv, e]"))

    done = project.run("dag", check=False)

    assert done.code == 1
    assert "circle" in done.stderr
    assert "prepare (datavc.yaml)" in done.stderr


def test_stages_that_need_each_other_only_as_a_group_are_still_drawn(repo):
    repo.write(
        "datavc.yaml",
        "stages:\n"
        "  t:\n"
        "    foreach: {a: {dep: x, out: y}, b: {dep: z, out: w}}\n"
        "    do: {cmd: x, deps: ['${item.dep}'], outs: ['${item.out}']}\n"
        "  u: {cmd: x, deps: [y], outs: [z]}\n",
    )

    assert repo.run("dag", "--collapse-foreach-matrix").stdout == "● u (also needs t)\n● t\n"


def test_without_stages_the_way_to_one_is_named(repo):
    assert "datavc stage add" in repo.run("dag").stdout
