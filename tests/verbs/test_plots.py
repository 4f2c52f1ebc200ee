"""plots: which are drawn, of which versions, and what becomes of those that cannot be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from datavc import live
from datavc.cli.render import as_json
from datavc.core.errors import DatavcError, FormatError, PathError, UsageError
from datavc.metrics import renderer
from datavc.verbs import plot_templates, plots, plots_output
from datavc.verbs.plot_choice import Asked
from tests.support.work import Work

STAGES = """\
stages:
  train:
    cmd: ./train
    plots:
    - loss.tsv: {cache: false, x: step, y: loss, title: Loss}
    - classes.csv: {cache: false, template: confusion, x: is, y: said}
plots:
- both: {x: {loss.tsv: step}, y: {loss.tsv: [loss, acc]}}
- pics
"""

needs_renderer = pytest.mark.skipif(
    not renderer.is_installed(), reason="the extra `plots` is not installed"
)


@pytest.fixture
def project(work: Work) -> Work:
    work.write("datavc.yaml", STAGES)
    work.write("loss.tsv", "step\tloss\tacc\n0\t2\t0.1\n1\t1\t0.2\n")
    work.write("classes.csv", "is,said\ncat,dog\ncat,cat\n")
    work.write("pics/a.png", b"old")
    work.write("pics/t.csv", "u,v\n0,1\n")
    work.write("pics/notes.txt", "no plot")
    work.git("add", "--all")
    work.git("commit", "-qm", "v1")
    work.git("tag", "v1")
    work.write("loss.tsv", "step\tloss\tacc\n0\t4\t0.1\n")
    work.write("pics/a.png", b"new")
    return work


def shown(work: Work, *targets: str, here: str = "", **wanted: str) -> dict[str, list[dict]]:  # type: ignore[type-arg]
    found = plots.show(work.repo(here), Asked(targets, **wanted))  # type: ignore[arg-type]
    assert found.errors == ()
    return as_json(found)["data"]  # type: ignore[index,no-any-return]


def values(rendering: dict) -> list[dict]:  # type: ignore[type-arg]
    return rendering["content"]["data"]["values"]  # type: ignore[no-any-return]


def test_all_declared_plots_are_shown_a_directory_file_by_file(project: Work) -> None:
    found = shown(project)

    assert list(found) == ["both", "pics/a.png", "pics/t.csv", "loss.tsv", "classes.csv"]
    assert found["loss.tsv"][0]["content"]["title"]["text"] == "Loss"
    assert values(found["loss.tsv"][0]) == [{"step": 0, "loss": 4, "acc": 0.1, "rev": "workspace"}]
    assert [row["field"] for row in values(found["both"][0])] == ["loss", "acc"]
    assert "facet" in found["classes.csv"][0]["content"]


def test_files_have_the_names_that_they_have_from_where_the_user_stands(project: Work) -> None:
    assert list(shown(project, here="pics")) == [
        *("both", "a.png", "t.csv", "../loss.tsv", "../classes.csv")
    ]


def test_a_target_is_a_plot_a_file_or_a_folder_declared_or_not(project: Work) -> None:
    project.write("more/x.json", json.dumps([{"a": 1}]))

    assert list(shown(project, "both")) == ["both"]
    assert list(shown(project, "loss.tsv")) == ["loss.tsv"]
    assert list(shown(project, "pics")) == ["pics/a.png", "pics/t.csv"]
    assert list(shown(project, "more")) == ["more/x.json"]
    assert list(shown(project, "more/x.json", "both")) == ["more/x.json", "both"]


def test_what_the_user_says_goes_over_what_is_declared(project: Work) -> None:
    (found,) = shown(
        project, "loss.tsv", x="acc", y="step", title="T", y_label="Y", template="simple"
    )["loss.tsv"]

    spec = found["content"]
    assert spec["title"]["text"] == "T"
    assert (spec["encoding"]["x"]["field"], spec["encoding"]["y"]["title"]) == ("acc", "Y")


def test_the_same_name_in_two_stage_files_is_told_apart_by_the_file(project: Work) -> None:
    project.write("sub/datavc.yaml", "plots:\n- both: {y: {a.csv: v}}\n")
    project.write("sub/a.csv", "u,v\n0,1\n")

    names = list(shown(project))

    assert "datavc.yaml::both" in names
    assert "sub/datavc.yaml::both" in names
    assert list(shown(project, "sub/datavc.yaml::both")) == ["both"]


def test_versions_stand_in_one_chart_and_pictures_side_by_side(project: Work) -> None:
    found = as_json(plots.diff(project.repo(), ["v1"], Asked()))["data"]  # type: ignore[index]

    assert found["loss.tsv"][0]["revisions"] == ["workspace", "v1"]
    revs = [(row["rev"], row["loss"]) for row in values(found["loss.tsv"][0])]
    assert revs == [("workspace", 4), ("v1", 2), ("v1", 1)]
    assert [each["revisions"] for each in found["pics/a.png"]] == [["workspace"], ["v1"]]


@pytest.mark.parametrize(
    ("revs", "names"),
    [
        ([], ["workspace", "HEAD"]),
        (["v1"], ["workspace", "v1"]),
        (["HEAD", "v1"], ["HEAD", "v1"]),
        (["v1", "main", "workspace"], ["workspace", "v1", "main"]),
    ],
)
def test_one_revision_is_compared_with_the_workspace(
    project: Work, revs: list[str], names: list[str]
) -> None:
    found = plots.diff(project.repo(), revs, Asked(("loss.tsv",)))

    assert list(found.drawn[0].versions) == names


def test_what_cannot_be_drawn_is_said_and_costs_no_other(project: Work) -> None:
    project.write("classes.csv", b"\xff\xfe")
    (project.root / "loss.tsv").unlink()

    found = plots.diff(project.repo(), [], Asked())

    assert [error.name for error in found.errors] == ["both", "loss.tsv", "classes.csv"]
    assert found.errors[2]._replace(msg="") == (
        *("classes.csv", "workspace", "classes.csv", "FormatError", ""),
    )
    drawn = {each.id: each.versions for each in found.drawn}
    assert drawn["loss.tsv"] == ("HEAD",)
    assert drawn["pics/t.csv"] == ("workspace", "HEAD")
    assert len(found.warnings) == 2
    assert as_json(found)["errors"][0]["rev"] == "workspace"  # type: ignore[index]


def test_plots_that_datavc_tracks_are_read_from_the_cache_of_their_version(work: Work) -> None:
    for version, loss in (("v1", 1), ("v2", 2)):
        work.write("out/plots/loss.csv", f"step,loss\n0,{loss}\n")
        work.write("out/pic.svg", version)
        work.add("out")
        work.git("add", "--all")
        work.git("commit", "-qm", version)
        work.git("tag", version)

    found = plots.diff(work.repo(), ["v1", "v2"], Asked(("out",)))

    assert [each.id for each in found.drawn] == ["out/pic.svg", "out/plots/loss.csv"]
    assert [each.data for each in found.drawn[0].pictures] == [b"v1", b"v2"]
    chart = found.drawn[1].chart
    assert chart is not None
    assert [row["loss"] for row in chart.spec["data"]["values"]] == [1, 2]


def test_the_notes_of_live_are_shown_as_they_are(project: Work) -> None:
    with live.start(project.root / "live") as run:
        for step in range(3):
            run.log_metric("train/loss", 1 / (step + 1))
            run.log_image("sample.png", b"picture", step=step)
            run.next_step()

    found = shown(project)

    assert [row["step"] for row in values(found["live/plots/metrics/train/loss.tsv"][0])] == [
        *(0, 1, 2)
    ]
    assert "live/plots/images/sample/2.png" in found


def test_a_template_of_the_user_has_a_name_or_a_path(project: Work) -> None:
    mine = {"data": {"values": "<DVC_METRIC_DATA>"}, "mark": "point", "title": "<DVC_METRIC_Y>"}
    project.write(".datavc/plots/mine.json", json.dumps(mine))
    project.write("charts/other.json", json.dumps({**mine, "mark": "bar"}))

    def mark(name: str, here: str = "") -> str:
        target = os.path.relpath("loss.tsv", here or ".")
        (found,) = shown(project, target, here=here, template=name).values()
        return found[0]["content"]["mark"]  # type: ignore[no-any-return]

    assert mark("mine") == mark("mine.json") == "point"
    assert mark("charts/other.json") == mark("other.json", here="charts") == "bar"
    assert plot_templates.names(project.repo())[:2] == ["mine", "linear"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("nosuch", UsageError), ("broken.json", FormatError), ("../x.json", DatavcError)],
)
def test_a_template_that_is_none_is_refused(
    project: Work, name: str, kind: type[DatavcError]
) -> None:
    project.write("broken.json", "{}")
    (project.root.parent / "x.json").write_text("{}")

    with pytest.raises(kind):
        plot_templates.template(project.repo(), name)


def test_a_target_outside_the_project_is_refused(project: Work) -> None:
    with pytest.raises(PathError, match="outside the project"):
        plots.show(project.repo(), Asked(("../x.csv",)))


def test_a_link_that_leads_out_of_the_project_is_not_followed(
    project: Work, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    (project.root / "link.csv").symlink_to(tmp_path / "secret.csv")

    found = plots.show(project.repo(), Asked(("link.csv",)))

    assert found.drawn == ()
    assert "leads out of the project" in found.warnings[0]


@needs_renderer
def test_charts_become_pictures_of_their_own(project: Work) -> None:
    found = plots.diff(project.repo(), ["v1"], Asked(("both", "pics")))

    written = plots_output.write_charts(project.repo(), found, "out", "svg")

    assert sorted(os.path.basename(file) for file in written.files) == [
        *("both.svg", "pics_t.csv.svg", "v1_pics_a.png", "workspace_pics_a.png")
    ]
    assert project.read("out/both.svg").startswith(b"<svg")
    assert project.read("out/v1_pics_a.png") == b"old"


def test_names_of_pictures_stay_in_their_folder(project: Work) -> None:
    project.write("deep/x/pic.png", b"1")
    found = plots.show(project.repo("deep"), Asked(("../pics/a.png", "x/pic.png")))

    written = plots_output.with_pictures(project.repo("deep"), found, "out")

    urls = [each.url for drawn in written.drawn for each in drawn.pictures]
    assert {os.path.dirname(url) for url in urls} == {str(project.root / "deep/out")}
    assert all(Path(url).is_file() for url in urls)
