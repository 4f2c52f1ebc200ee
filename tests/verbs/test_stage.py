import json

import pytest

from datavc.formats import people_yaml

TRAIN = ("-n", "train", "-d", "data/p.csv", "-o", "model.pkl", "cp data/p.csv model.pkl")
EVERYTHING = """\
-n all -d ../raw.csv --deps src -o a -O b --outs-persist c --outs-persist-no-cache d -m m.json
-M n.json --plots p.csv --plots-no-cache q.csv -p lr,epochs -p ../conf.toml:a.b -p other.yaml:
-w data --env HOME --resource cpu=2 --resource mem=4G --retries 2 --timeout 90s --always-changed
"""


def stages(repo, path="datavc.yaml"):
    return people_yaml.load(repo.read(path), path).value["stages"]


def add(repo, *arguments, **more):
    return repo.run("stage", "add", *arguments, **more)


@pytest.fixture
def project(repo):
    """A tracked file, a parameter file, and a folder for outputs."""
    repo.write("raw.csv", "1\n")
    repo.run("add", "raw.csv")
    repo.write("params.yaml", "lr: 0.1\nepochs: 3\n")
    repo.write("conf.toml", "[a]\nb = 1\n")
    repo.write("data/readme", "")
    return repo


@pytest.fixture
def pipeline(project):
    """Two stages, each run once."""
    add(project, "-n", "prepare", "-d", "raw.csv", "-o", "data/p.csv", "cp raw.csv data/p.csv")
    add(project, *TRAIN)
    project.run("repro")
    return project


def test_every_option_becomes_a_key_of_the_stage(project):
    command = ("python", "x.py", "a b", "$HOME", "-o", "z", "-f")

    add(project, *EVERYTHING.split(), "--desc", "Does: all", *command)

    assert stages(project)["all"] == {
        "desc": "Does: all",
        "cmd": "python x.py 'a b' $HOME -o z -f",
        "wdir": "data",
        "deps": ["../raw.csv", "src"],
        "params": ["lr", "epochs", {"../conf.toml": ["a.b"]}, {"other.yaml": None}],
        "env": ["HOME"],
        "outs": [
            "a",
            {"b": {"cache": False}},
            {"c": {"persist": True}},
            {"d": {"cache": False, "persist": True}},
        ],
        "metrics": ["m.json", {"n.json": {"cache": False}}],
        "plots": ["p.csv", {"q.csv": {"cache": False}}],
        "resources": {"cpu": 2, "mem": "4G"},
        "retries": 2,
        "timeout": "90s",
        "always_changed": True,
    }


def test_git_ignores_what_the_cache_keeps_and_nothing_else(project):
    add(project, "-n", "a", "-o", "data/x", "-O", "data/y", "-o", "later/z", "cmd")

    assert project.read("data/.gitignore") == b"/x\n"
    assert not (project.root / "later").exists()


def test_comments_and_unknown_layout_survive(project):
    text = "# mine\nstages:\n    one:  # first\n        cmd: 'x'\n\n# the end\n"
    project.write("datavc.yaml", text)

    add(project, *TRAIN)
    project.run("stage", "remove", "train")

    assert project.read("datavc.yaml").decode() == text


def test_a_stage_goes_into_the_file_of_the_current_folder(project):
    add(project, "-n", "a", "-d", "../raw.csv", "-o", "x", "cp ../raw.csv x", cwd="data")

    assert stages(project, "data/datavc.yaml")["a"]["deps"] == ["../raw.csv"]
    first = b"# yaml-language-server: $schema=../.datavc/datavc.schema.json\n"
    assert project.read("data/datavc.yaml").startswith(first)
    assert project.read("data/.gitignore") == b"/x\n"


NONSENSE = {
    ("-n", "prepare", "x"): "datavc.yaml has a stage prepare already",
    ("-n", "a@b", "x"): "'a@b' is no name of a stage",
    ("-n", "new", "-o", "data", "x"): "lies inside data, an output of stage new",
    ("-n", "new", "-o", "data/p.csv", "x"): "data/p.csv is an output of two stages",
    ("-n", "new", "-o", "raw.csv", "x"): "raw.csv, an output of stage new",
    ("-n", "new", "-o", "conf.toml", "x"): "conf.toml would be an output, but Git tracks it",
    ("-n", "new", "-d", "n", "-o", "n", "x"): "depends on n, which it makes itself",
    ("-n", "new", "--resource", "cpu", "x"): "NAME=AMOUNT",
    ("-n", "new", "-o", "../out", "x"): "datavc.yaml:",
    ("-n", "new", "--timeout", "soon", "x"): "timeout",
    ("-n", "new", "${nothing}"): "nothing",
}


def test_what_makes_no_sense_is_refused_and_nothing_is_written(pipeline):
    pipeline.git("add", "conf.toml")
    before = pipeline.tree()

    for arguments, said in NONSENSE.items():
        done = add(pipeline, *arguments, check=False)

        assert done.code in (1, 2)
        assert said in done.stderr
        assert pipeline.tree() == before


def test_a_circle_is_refused_with_its_stages(pipeline):
    done = add(
        pipeline, "-f", "-n", "prepare", "-d", "model.pkl", "-o", "data/p.csv", "x", check=False
    )

    assert done.code == 1
    assert "prepare (datavc.yaml) needs train (datavc.yaml) needs prepare" in done.stderr


def test_force_replaces_the_definition_and_the_ignore_lines(pipeline):
    add(pipeline, "-f", "-n", "train", "-d", "data/p.csv", "-o", "other.pkl", "x")

    assert list(stages(pipeline)) == ["prepare", "train"]
    assert stages(pipeline)["train"]["outs"] == ["other.pkl"]
    assert b"/other.pkl\n" in pipeline.read(".gitignore")
    assert b"/model.pkl\n" not in pipeline.read(".gitignore")


def test_run_runs_the_new_stage_at_once(pipeline):
    done = add(
        pipeline, "-n", "count", "-d", "model.pkl", "-o", "n", "--run", "wc -l < model.pkl > n"
    )

    assert done.code == 0
    assert pipeline.read("n").strip() == b"1"
    assert "count" in json.loads(pipeline.read("datavc.lock"))["stages"]


def test_a_removed_stage_leaves_its_outputs_and_their_objects(pipeline):
    done = pipeline.run("stage", "remove", "train", "--json")

    assert json.loads(done.stdout) == {
        "name": "train",
        "file": "datavc.yaml",
        "outs": ["model.pkl"],
    }
    assert list(stages(pipeline)) == ["prepare"]
    assert list(json.loads(pipeline.read("datavc.lock"))["stages"]) == ["prepare"]
    assert pipeline.read("model.pkl") == b"1\n"
    assert b"model.pkl" not in pipeline.read(".gitignore")
    assert b"/p.csv" in pipeline.read("data/.gitignore")


def test_the_last_removed_stage_takes_the_lock_with_it(pipeline):
    pipeline.run("stage", "remove", "train")
    pipeline.run("stage", "remove", "prepare")

    assert stages(pipeline) == {}
    assert not (pipeline.root / "datavc.lock").exists()
    assert pipeline.run("stage", "list", "--names-only").stdout == ""


def test_what_foreach_makes_is_removed_together(project):
    text = "stages:\n  m:\n    foreach: [1, 2]\n    do:\n      cmd: echo ${item} > o${item}\n"
    project.write("datavc.yaml", text + "      outs: ['o${item}']\n  z:\n    cmd: x\n")
    project.run("repro", "m")

    refused = project.run("stage", "remove", "m@1", check=False)
    project.run("stage", "remove", "m")

    assert refused.code == 1
    assert "which change together" in refused.stderr
    assert list(stages(project)) == ["z"]
    assert not (project.root / "datavc.lock").exists()


def test_a_stage_can_be_removed_though_the_pipeline_makes_no_sense(project):
    text = "stages:\n  a:\n    cmd: x\n    deps: [b]\n    outs: [a]\n"
    project.write("datavc.yaml", text + "  b:\n    cmd: x\n    deps: [a]\n    outs: [b]\n")

    project.run("stage", "remove", "b")

    assert project.read("datavc.yaml").decode() == text


def test_a_stage_of_another_file_is_named_with_it(project):
    for folder in ("one", "two"):
        project.write(f"{folder}/datavc.yaml", "stages:\n  a:\n    cmd: x\n")

    refused = project.run("stage", "remove", "a", check=False)
    project.run("stage", "remove", "one/datavc.yaml:a", cwd="two")

    assert "a is a stage of one/datavc.yaml and of two/datavc.yaml" in refused.stderr
    assert stages(project, "one/datavc.yaml") == {}
    assert list(stages(project, "two/datavc.yaml")) == ["a"]


def test_an_unknown_stage_names_the_nearest(pipeline):
    done = pipeline.run("stage", "remove", "trian", check=False)

    assert done.code == 1
    assert "did you mean train?" in done.stderr


def test_list_says_what_each_stage_makes(pipeline):
    add(pipeline, "-n", "report", "-d", "model.pkl", "-M", "m.json", "x")
    add(pipeline, "-n", "send", "-d", "m.json", "x")
    add(pipeline, "-n", "note", "--desc", "Tell everybody", "x")
    add(pipeline, "-n", "away", "-o", "x", "cmd", cwd="data")

    assert pipeline.run("stage", "list").stdout.splitlines() == [
        "prepare  Outputs data/p.csv",
        "train    Outputs model.pkl",
        "report   Reports m.json",
        "send     Depends on m.json",
        "note     Tell everybody",
    ]
    assert pipeline.run("stage", "list", "--all", "--names-only").stdout.split() == [
        "data/datavc.yaml:away", "prepare", "train", "report", "send", "note", "raw.csv.datavc",
    ]  # fmt: skip
    assert pipeline.run("stage", "list", "-R", "data").stdout.split()[0] == "data/datavc.yaml:away"
    assert pipeline.run("stage", "list", cwd="data").stdout.split()[0] == "away"
    assert pipeline.run("stage", "list", "--names-only", "train").stdout == "train\n"


def test_list_tells_programs_all_that_is_declared(pipeline):
    (row,) = json.loads(pipeline.run("stage", "list", "--json", "train").stdout)

    assert row == {
        "name": "train",
        "file": "datavc.yaml",
        "cmd": ["cp data/p.csv model.pkl"],
        "wdir": ".",
        "deps": ["data/p.csv"],
        "params": {},
        "outs": [{"path": "model.pkl", "kind": "out", "cache": True, "persist": False}],
        "frozen": False,
        "desc": None,
    }


def test_a_file_that_cannot_be_used_is_passed_over_unless_told_not_to(pipeline):
    pipeline.write("data/datavc.yaml", "stages:\n  a:\n    cdm: x\n")

    listed = pipeline.run("stage", "list", "--names-only", "--all")
    failed = pipeline.run("stage", "list", "--fail", check=False)

    assert "train" in listed.stdout
    assert "data/datavc.yaml" in listed.stderr
    assert failed.code == 1
    assert "data/datavc.yaml:3" in failed.stderr
