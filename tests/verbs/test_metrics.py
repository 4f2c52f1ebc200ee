"""metrics and params: of any version, declared or named, and what changed."""

from __future__ import annotations

import json
import shutil

import pytest

from datavc.cli.render import as_json
from datavc.core.errors import DatavcError, PathError
from datavc.verbs import metrics, params
from datavc.verbs.moments import Scope
from tests.support.work import Work

STAGES = """\
stages:
  train:
    cmd: ./train
    params: [lr, model]
    metrics:
    - m.json: {cache: false}
metrics: [sub/extra.toml]
"""


@pytest.fixture
def project(work: Work) -> Work:
    """Return a project whose commit `v1` and workspace differ in numbers."""
    work.write("datavc.yaml", STAGES)
    work.write("m.json", '{"acc": 0.5, "by": {"cat": 1}, "list": [1]}')
    work.write("sub/extra.toml", "f1 = 0.25\n")
    work.write("params.yaml", "lr: 0.1\nmodel: {depth: 3}\nunused: 1\n")
    work.git("add", "--all")
    work.git("commit", "-qm", "v1")
    work.git("tag", "v1")
    work.write("m.json", '{"acc": 0.75, "by": {"cat": 1}}')
    work.write("params.yaml", "lr: 0.2\nmodel: {depth: 3, width: [1, 2]}\nunused: 2\n")
    return work


def shown(work: Work, *targets: str, here: str = "", **scope: bool) -> object:
    return as_json(metrics.show(work.repo(here), targets, Scope(**scope)))


def differing(
    work: Work, *revs: str, targets: tuple[str, ...] = (), unchanged: bool = False
) -> object:
    pair = (*revs, None, None)[:2]
    return as_json(metrics.diff(work.repo(), pair, targets, unchanged=unchanged))


def changed(work: Work, *targets: str, used: bool = False, unchanged: bool = False) -> object:
    return as_json(params.diff(work.repo(), (None, None), targets, unchanged=unchanged, used=used))


def test_metrics_of_the_workspace_stand_under_the_empty_name(project: Work) -> None:
    assert shown(project) == {
        "": {
            "data": {
                "m.json": {"data": {"acc": 0.75, "by": {"cat": 1}}},
                "sub/extra.toml": {"data": {"f1": 0.25}},
            }
        }
    }


def test_paths_are_seen_from_where_the_user_stands(project: Work) -> None:
    found = shown(project, here="sub")

    assert list(found[""]["data"]) == ["../m.json", "extra.toml"]  # type: ignore[index]


def test_versions_have_the_names_that_led_to_them(project: Work) -> None:
    commit = project.git("rev-parse", "HEAD").stdout.strip()
    project.git("branch", "other")

    def names(**scope: bool) -> list[str]:
        return list(shown(project, **scope))  # type: ignore[call-overload]

    assert names(all_tags=True) == ["workspace", "v1"]
    assert names(all_branches=True) == ["workspace", "main,other"]
    assert names(all_branches=True, all_tags=True) == ["workspace", "main,other,v1"]
    assert names(all_commits=True) == ["workspace", commit]


def test_the_workspace_is_left_out_where_it_is_like_the_current_branch(project: Work) -> None:
    project.git("commit", "-qam", "now")

    assert list(shown(project, all_branches=True)) == ["main"]  # type: ignore[call-overload]


def test_an_annotated_tag_stands_for_its_commit(project: Work) -> None:
    project.git("tag", "-a", "-m", "release", "v1.0")

    assert "v1,v1.0" in shown(project, all_tags=True)  # type: ignore[operator]


def test_a_file_that_nobody_declared_can_be_named_and_a_folder_looked_into(project: Work) -> None:
    project.write("more/deep/x.csv", "step,loss\n0,2\n1,1\n")
    project.write("more/notes.txt", "x")

    assert shown(project, "more/deep/x.csv") == {
        "": {"data": {"more/deep/x.csv": {"data": {"step": 1, "loss": 1}}}}
    }
    assert list(shown(project, "more")[""]["data"]) == ["more/deep/x.csv"]  # type: ignore[index]


def test_what_cannot_be_read_has_an_error_and_costs_no_other(project: Work) -> None:
    project.write("m.json", "{")

    found = metrics.show(project.repo(), (), Scope())

    data = as_json(found)[""]["data"]  # type: ignore[index]
    assert data["m.json"]["error"]["type"] == "FormatError"
    assert data["sub/extra.toml"] == {"data": {"f1": 0.25}}
    assert len(found.warnings) == 1
    assert "m.json" in found.warnings[0]


def test_what_is_not_there_has_the_error_that_scripts_know(project: Work) -> None:
    assert shown(project, "nosuch.json") == {
        "": {
            "data": {
                "nosuch.json": {
                    "error": {"type": "FileNotFoundError", "msg": "nosuch.json is not there"}
                }
            }
        }
    }


def test_a_target_outside_the_project_is_refused(project: Work) -> None:
    with pytest.raises(PathError, match="outside the project"):
        shown(project, "../x.json")


def test_a_stage_file_that_does_not_parse_is_passed_over_with_a_warning(project: Work) -> None:
    project.write("sub/datavc.yaml", "stages: [\n")

    found = metrics.show(project.repo(), (), Scope())

    assert "m.json" in found.versions[0].values
    assert "sub/datavc.yaml" in found.warnings[0]


def test_head_and_workspace_are_compared_by_default(project: Work) -> None:
    assert differing(project) == {"m.json": {"acc": {"old": 0.5, "new": 0.75, "diff": 0.25}}}
    assert differing(project, "v1", "HEAD") == {}
    assert differing(project, targets=("sub",)) == {}


def test_all_keys_are_there_if_asked_for(project: Work) -> None:
    found = differing(project, unchanged=True)

    assert found["sub/extra.toml"] == {"f1": {"old": 0.25, "new": 0.25, "diff": 0.0}}  # type: ignore[index]


def test_a_metric_that_one_side_lacks_is_none_there_and_no_warning(project: Work) -> None:
    (project.root / "m.json").unlink()

    found = metrics.diff(project.repo(), (None, None), (), unchanged=False)

    assert as_json(found)["m.json"]["acc"] == {"old": 0.5, "new": None}  # type: ignore[index]
    assert found.warnings == []


def test_a_named_file_that_neither_side_has_is_said(project: Work) -> None:
    found = metrics.diff(project.repo(), (None, None), ("nosuch.json",), unchanged=False)

    assert found.deltas == {}
    assert found.warnings == ["nosuch.json is not there at HEAD", "nosuch.json is not there"]


def test_a_revision_that_does_not_exist_is_refused(project: Work) -> None:
    with pytest.raises(DatavcError, match="no such revision: 'nosuch'"):
        differing(project, "nosuch")


@pytest.mark.parametrize("path", ["scores.json", "results/scores.json"])
def test_metrics_that_datavc_tracks_are_read_from_the_cache_of_their_version(
    work: Work, path: str
) -> None:
    tracked = path.partition("/")[0]
    for version, score in (("v1", 1), ("v2", 2)):
        work.write(path, json.dumps({"score": score}))
        work.add(tracked)
        work.git("add", "--all")
        work.git("commit", "-qm", version)
        work.git("tag", version)

    found = differing(work, "v1", "v2", targets=(path,))
    assert found == {path: {"score": {"old": 1, "new": 2, "diff": 1}}}
    assert differing(work, "v1", "v2", targets=(tracked,)) == found

    shutil.rmtree(work.root / ".datavc/cache/objects")
    lost = metrics.diff(work.repo(), ("v1", "v2"), (path,), unchanged=False)
    assert lost.deltas == {}
    assert all("cache" in warning and "datavc fetch --rev" in warning for warning in lost.warnings)


def test_parameters_of_all_files_are_compared_key_by_key(project: Work) -> None:
    assert changed(project) == {
        "params.yaml": {
            "lr": {"old": 0.1, "new": 0.2, "diff": 0.1},
            "model.width": {"old": None, "new": "[1, 2]"},
            "unused": {"old": 1, "new": 2, "diff": 1},
        }
    }


def test_only_what_stages_use_is_compared_if_asked_for(project: Work) -> None:
    found = changed(project, used=True)

    assert list(found["params.yaml"]) == ["lr", "model.width"]  # type: ignore[call-overload,index]
    assert list(changed(project, used=True, unchanged=True)["params.yaml"]) == [  # type: ignore[index]
        "lr",
        "model.depth",
        "model.width",
    ]


def test_parameters_in_python_are_read_and_not_run(project: Work) -> None:
    project.write("p.py", "lr = 0.1\nclass Net:\n    depth = 3\n")

    assert changed(project, "p.py") == {
        "p.py": {
            "Net.depth": {"old": None, "new": 3},
            "lr": {"old": None, "new": 0.1},
        }
    }
