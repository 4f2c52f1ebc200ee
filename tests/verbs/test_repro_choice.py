"""Which stages are meant, what a failure costs, and how many run at once."""

from __future__ import annotations

import pytest

from datavc.verbs.repro import ReproOptions, RunOptions, repro
from tests.support.pipeline import Pipelines, copies, noting


class Silent:
    """Is told, and says nothing."""

    def begins(self, stage, findings): ...
    def says(self, stage, line): ...
    def ends(self, outcome): ...
    def warns(self, message): ...


DIAMOND = {
    "a": copies("a", ["in"], "a.out"),
    "b": copies("b", ["a.out"], "b.out"),
    "c": copies("c", ["a.out"], "c.out"),
    "d": copies("d", ["b.out", "c.out"], "d.out"),
}
FAILS = {"cmd": noting("b", "cat a.out > b.out; exit 1"), "deps": ["a.out"], "outs": ["b.out"]}


@pytest.fixture
def work(tmp_path) -> Pipelines:
    """A diamond of four stages that never ran, and one stage beside it."""
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    work.define({**DIAMOND, "lone": copies("lone", ["in"], "lone.out")})
    return work


def test_a_target_means_itself_and_what_it_needs(work):
    assert work.repro("b").ran == ["a", "b"]
    assert work.repro("c.out").ran == ["c"]
    assert work.repro("d", "lone").ran == ["d", "lone"]


def test_a_single_item_takes_nothing_else(work):
    work.repro()
    work.write("in", "two\n")

    found = work.repro("-s", "a", "lone")

    assert found.ran == ["a", "lone"]
    assert list(found.stages) == ["a", "lone"]


def test_downstream_takes_what_follows_and_not_what_is_before(work):
    work.repro()
    work.write("in", "two\n")

    found = work.repro("--downstream", "c")

    assert list(found.stages) == ["c", "d"]
    assert found.ran == []
    assert work.repro("--downstream", "a").ran == ["a", "b", "c", "d"]


def test_force_downstream_runs_all_that_depends_on_what_ran(work):
    work.repro()
    changed = {**DIAMOND["a"], "cmd": noting("a", "cat ./in > a.out")}
    work.define({**DIAMOND, "a": changed, "lone": copies("lone", ["in"], "lone.out")})

    forced = work.repro("--force-downstream")

    assert forced.ran == ["a", "b", "c", "d"]
    assert forced.actions["lone"] == "skip"


def test_force_runs_everything_that_is_meant(work):
    work.repro()

    assert work.repro("-f", "b").ran == ["a", "b"]
    assert work.repro("-f", "-s", "b").ran == ["b"]


def test_a_pipeline_is_all_that_hangs_together(work):
    assert set(work.repro("-p", "c").stages) == set(DIAMOND)


def test_all_pipelines_and_folders_of_stage_files(work):
    for folder in ("one", "two/three"):
        work.define({"x": copies("x", ["../" * (folder.count("/") + 1) + "in"], "out")}, folder)

    assert set(work.repro("-R", "two").stages) == {"two/three/datavc.yaml:x"}
    assert set(work.repro("one/datavc.yaml").stages) == {"one/datavc.yaml:x"}
    assert set(work.repro("-P").stages) == {
        *DIAMOND, "lone", "one/datavc.yaml:x", "two/three/datavc.yaml:x",
    }  # fmt: skip
    assert set(work.repro(here="one").stages) == {"one/datavc.yaml:x"}
    assert set(work.repro("-R", ".", here="two").stages) == {"two/three/datavc.yaml:x"}


def test_globs_and_groups_name_many(work):
    work.write(
        "datavc.yaml",
        "stages: {t: {foreach: [1, 2], do: {cmd: 'echo ${item} > o${item}', "
        "outs: ['o${item}']}}, u: {cmd: 'touch u', outs: [u]}}",
    )

    assert set(work.repro("t").stages) == {"t@1", "t@2"}
    assert set(work.repro("--glob", "*@2").stages) == {"t@2"}
    assert set(work.repro("t@1").stages) == {"t@1"}


def test_one_at_a_time_is_in_the_order_of_the_file(tmp_path):
    work = Pipelines(tmp_path / "work")
    work.write("in", "")
    names = ["z", "y", "b", "x", "a"]
    work.define({name: copies(name, ["in"], f"{name}.out") for name in names})

    assert work.repro().ran == names


# failures


def failing(work: Pipelines) -> None:
    work.define({**DIAMOND, "b": FAILS, "lone": copies("lone", ["in"], "lone.out")})


def test_a_failure_stops_what_has_not_started(work):
    failing(work)

    found = work.repro(code=1)

    assert found.ran == ["a", "b"]
    blocked = dict.fromkeys(["c", "d", "lone"], "blocked")
    assert found.actions == {"a": "run", "b": "failed", **blocked}


def test_a_failure_lets_what_runs_come_to_its_end(work):
    slow = {"cmd": noting("c", "sleep 0.4; echo > c.out"), "deps": ["a.out"], "outs": ["c.out"]}
    work.define({**DIAMOND, "b": FAILS, "c": slow})

    found = work.repro("-j2", code=1)

    assert found.actions == {"a": "run", "b": "failed", "c": "run", "d": "blocked"}
    assert set(work.lock()) == {"a", "c"}


def test_keep_going_costs_only_what_needs_the_failed_one(work):
    failing(work)

    found = work.repro("-k", code=1)

    assert found.ran == ["a", "b", "c", "lone"]
    assert found.actions["d"] == "blocked"


def test_ignoring_errors_runs_also_what_needs_the_failed_one(work):
    failing(work)

    found = work.repro("--ignore-errors", code=1)

    assert found.ran == ["a", "b", "c", "d", "lone"]
    assert found.actions["d"] == "run"
    assert "b" not in work.lock()


def test_what_was_good_stays_good_after_a_failure(work):
    failing(work)
    work.repro("-k", code=1)
    work.define({**DIAMOND, "lone": copies("lone", ["in"], "lone.out")})

    found = work.repro()

    assert found.ran == ["b", "d"]


# asking


def test_interactive_asks_for_each_stage_and_a_no_stops_what_needs_it(work):
    answers = iter(["y", "n", "y", "y"])
    asked = []

    def answer(question: str) -> bool:
        asked.append(question)
        return next(answers) == "y"

    options = ReproOptions(run=RunOptions(ask=lambda stage: answer(stage.name)))
    found = repro(work.repo(), (), options, Silent())

    assert asked == ["a", "b", "c", "lone"]
    states = {outcome.stage.name: outcome.state for outcome in found.outcomes}
    assert states == {
        "a": "done", "b": "declined", "c": "done", "d": "blocked", "lone": "done",
    }  # fmt: skip


def test_interactive_without_a_terminal_is_refused(work):
    work.do("repro", "-i", "a", code=2)

    assert work.repro("a").ran == ["a"]


# at once


def overlapping(name: str, **more: object) -> dict[str, object]:
    """Return a stage that notes when it began and ended."""
    cmd = f"echo +{name} >> times; sleep 0.15; echo -{name} >> times; touch {name}.out"
    return {"cmd": cmd, "outs": [f"{name}.out"], **more}


def most_at_once(work: Pipelines) -> int:
    running = most = 0
    for line in work.read("times").decode().split():
        running += 1 if line.startswith("+") else -1
        most = max(most, running)
    work.remove("times")
    return most


def test_so_many_run_at_once_and_one_by_default(work):
    work.define({name: overlapping(name) for name in "abcd"})

    work.repro()
    by_default = most_at_once(work)
    work.repro("-f", "-j3")
    three = most_at_once(work)
    work.do("config", "--local", "repro.jobs", "2")
    work.repro("-f")

    assert (by_default, three, most_at_once(work)) == (1, 3, 2)


def test_a_pool_that_nobody_named_is_a_mutual_exclusion(work):
    stages = {name: overlapping(name, resources={"db": 1}) for name in "abc"}
    work.define({**stages, "free": overlapping("free")})

    work.repro("-j4")

    lines = work.read("times").decode().split()
    db = [line for line in lines if "free" not in line]
    assert all(db[i][1:] == db[i + 1][1:] for i in range(0, 6, 2))
    assert most_at_once(work) == 2


def test_a_pool_has_as_many_places_as_are_set(work):
    work.do("config", "--local", "repro.resources", "db=2")
    work.define({name: overlapping(name, resources={"db": 1}) for name in "abcd"})

    work.repro("-j4")

    assert most_at_once(work) == 2


def test_gpus_are_handed_out_by_index_and_given_back(work):
    work.do("config", "--local", "repro.resources", "gpu=3")
    command = 'echo "$CUDA_VISIBLE_DEVICES" > {0}; sleep 0.1'
    amounts = {"one": 1, "two": 2, "three": 3, "none": 0}
    work.define(
        {
            name: {"cmd": command.format(name), "outs": [name]}
            | ({"resources": {"gpu": amount}} if amount else {})
            for name, amount in amounts.items()
        }
    )

    work.repro("-j4")

    given = {name: work.read(name).decode().strip() for name in amounts}
    assert given["three"] == "0,1,2"
    assert sorted((given["one"] + "," + given["two"]).split(",")) == ["0", "1", "2"]
    assert given["none"] == ""


def test_memory_beyond_the_machines_is_refused_with_the_setting(work):
    work.define({"a": {"cmd": "true", "resources": {"mem": "1000TiB"}}})

    assert "repro.resources" in work.refused()


def test_an_order_that_is_ready_runs_in_any_number_at_once(work):
    for jobs in ("1", "2", "4"):
        found = work.repro("-f", f"-j{jobs}")

        assert found.ran.index("a") < min(found.ran.index("b"), found.ran.index("c"))
        assert found.ran.index("d") > max(found.ran.index("b"), found.ran.index("c"))
        assert work.read("d.out") == b"one\none\n"


@pytest.mark.parametrize("command", [("repro",), ("why",)])
@pytest.mark.parametrize("name", ["lone", "sub/datavc.yaml:far", "lone.out"])
def test_a_stage_of_a_broken_file_is_not_said_to_be_missing(work, command, name):
    work.write("datavc.yaml", "stages:\n  lone:\n    cmd: x\n    dep: [in]\n")

    said = work.do(*command, name, code=1).stderr

    assert "datavc.yaml:4: stage lone: dep is no key here" in said


def test_several_stages_of_one_name_are_all_named_or_the_rest_is_hinted_at(work):
    work.define({"a": {"foreach": [1, 2], "do": {"cmd": "x"}}})
    two = work.do("why", "a", code=1).stderr
    work.define({"a": {"foreach": [1, 2, 3, 4], "do": {"cmd": "x"}}})

    assert "(a@1, a@2)" in two
    assert "(a@1, a@2, a@3 …)" in work.do("why", "a", code=1).stderr


def test_a_folder_without_a_stage_is_told_where_stages_are(work):
    work.write("src/dvc/dvc.yaml", "stages: {}\n")

    assert "`datavc repro -P` runs all 5 stages" in work.do("repro", here="src", code=1).stderr
    assert "rename dvc.yaml to datavc.yaml" in work.do("repro", here="src/dvc", code=1).stderr
    assert "`datavc stage list --all`" in work.do("stage", "list", here="src").stdout


def test_a_project_without_a_stage_is_told_how_to_write_one(work):
    (work.root / "datavc.yaml").unlink()

    assert "datavc stage add" in work.do("repro", code=1).stderr
    assert "datavc stage add" in work.do("stage", "list").stdout
    assert not work.do("stage", "list", "--names-only").stdout


@pytest.mark.parametrize("command", ["status", "commit", "checkout"])
def test_a_mistyped_stage_is_recognised_wherever_stages_are_targets(work, command):
    work.repro("lone")

    assert "did you mean lone?" in work.do(command, "lnoe", code=1).stderr


@pytest.mark.parametrize("command", ["status", "commit"])
def test_a_stage_that_never_ran_is_recognised_too(work, command):
    work.define({"prepare": copies("prepare", ["in"], "x")})

    assert "did you mean prepare?" in work.do(command, "prepaer", code=1).stderr


@pytest.mark.parametrize("command", ["status", "commit"])
def test_a_target_that_a_broken_file_may_declare_gets_that_files_error(work, command):
    work.write("datavc.yaml", "stages:\n  prepare:\n    cmd: x\n    dep: [in]\n")

    assert "datavc.yaml:4: stage prepare: dep" in work.do(command, "prepare", code=1).stderr


def test_frozen_stages_are_told_apart_from_those_that_are_up_to_date(work):
    work.repro("d")
    work.define({**DIAMOND, "b": {**DIAMOND["b"], "frozen": True}})
    work.write("in", "two\n")

    assert "1 frozen" in work.do("repro", "--dry-run", "d").stdout
    assert work.do("repro", "b.out").stdout == "1 frozen\n"
    assert "1 frozen" in work.do("repro", "d").stdout
    assert work.do("repro", "d").stdout == "3 stages up to date, 1 frozen\n"
    assert work.do("why", "b").stdout.startswith("b is frozen: its inputs are not looked at")
    assert "b (frozen)" in work.do("dag").stdout
    assert "Outputs b.out (frozen)" in work.do("stage", "list").stdout
