"""Numbers on the terminal: `metrics`, `params` and `plots` as people see them."""

from __future__ import annotations

import json

import pytest

from datavc.cli import numbers
from tests.support.repo import RepoBuilder


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (0.612345678, 5, "0.61235"),
        (0.7, 5, "0.7"),
        (1e-7, 5, "1e-07"),
        (0.000012345678, 3, "1.23e-05"),
        (123456.789, 2, "123456.79"),
        (2.6, 0, "3"),
        (3, 2, "3"),
        (None, 5, "-"),
        (True, 5, "True"),
        ("text", 5, "text"),
        (float("nan"), 5, "nan"),
    ],
)
def test_numbers_are_rounded_but_never_to_nothing(
    value: object, precision: int, text: str
) -> None:
    assert numbers.number(value, precision) == text


@pytest.fixture
def project(repo: RepoBuilder) -> RepoBuilder:
    repo.write("m.json", '{"acc": 0.5, "a|b": "x|y"}')
    repo.write("params.yaml", "lr: 0.1\n")
    repo.write("datavc.yaml", "metrics: [m.json]\nplots:\n- loss.csv: {x: step}\n- pics\n")
    repo.write("loss.csv", "step,loss\n0,2\n1,1\n")
    repo.write("pics/a.png", b"\x89PNG")
    repo.commit("one")
    repo.write("m.json", '{"acc": 0.75, "a|b": "z"}')
    repo.write("params.yaml", "lr: 0.2\n")
    return repo


def test_differences_stand_in_aligned_columns(project: RepoBuilder) -> None:
    assert project.run("metrics", "diff").stdout == (
        "Path    Metric  HEAD  workspace  Change\n"
        "m.json  acc     0.5   0.75       +0.25\n"
        "m.json  a|b     x|y   z          -\n"
    )
    assert project.run("metrics", "show").stdout == (
        "Path    Metric  Value\nm.json  acc     0.75\nm.json  a|b     z\n"
    )
    assert project.run("params", "diff", "--no-path").stdout == (
        "Param  HEAD  workspace\nlr     0.1   0.2\n"
    )
    assert project.run("params", "diff", "HEAD", "HEAD").stdout == "No differences\n"


def test_markdown_keeps_its_columns_whatever_the_names(project: RepoBuilder) -> None:
    assert project.run("metrics", "diff", "--md").stdout.splitlines() == [
        "| Path   | Metric | HEAD | workspace | Change |",
        "|--------|--------|------|-----------|--------|",
        "| m.json | acc    | 0.5  | 0.75      | +0.25  |",
        r"| m.json | a\|b   | x\|y | z         | -      |",
    ]


def test_a_page_is_written_where_git_does_not_see_it(project: RepoBuilder) -> None:
    done = project.run("plots", "diff", "HEAD")

    page = project.root / "datavc_plots/index.html"
    assert done.stdout == page.as_uri() + "\n"
    assert "data:image/png;base64," in page.read_text()
    assert "datavc_plots" not in project.git("status", "--porcelain").stdout


def test_a_page_goes_where_the_user_wants_it(project: RepoBuilder) -> None:
    project.write("own.html", "<h1>Mine</h1>{plot_divs}")

    project.run("plots", "show", "-o", "out/all.html", "--html-template", "own.html", "-q")

    assert (project.root / "out/all.html").read_text().startswith("<h1>Mine</h1><section>")


def test_json_of_plots_names_the_pictures_that_were_written(project: RepoBuilder) -> None:
    found = json.loads(project.run("plots", "diff", "--json", "-o", "out").stdout)["data"]

    assert [each["revisions"] for each in found["pics/a.png"]] == [["workspace"], ["HEAD"]]
    for each in found["pics/a.png"]:
        assert each["type"] == "image"
        assert project.read(each["url"]) == b"\x89PNG"
    (chart,) = found["loss.csv"]
    assert chart["revisions"] == ["workspace", "HEAD"]
    assert chart["content"]["$schema"].startswith("https://vega.github.io/schema/vega-lite/v5")
    assert chart["content"]["data"]["values"][0] == {"step": 0, "loss": 2, "rev": "workspace"}


def test_the_specification_of_one_plot_can_be_printed(project: RepoBuilder) -> None:
    spec = json.loads(project.run("plots", "show", "loss.csv", "--show-vega").stdout)

    assert spec["title"]["text"] == "loss.csv"
    done = project.run("plots", "show", "pics", "--show-vega", check=False)
    assert done.code == 2
    assert done.stderr.startswith("Error: --show-vega needs one plot, but 0 were found")


def test_plots_and_templates_are_listed(project: RepoBuilder) -> None:
    assert project.run("plots", "list").stdout == (
        "loss.csv    linear  loss.csv\npics/a.png  image   pics/a.png\n"
    )
    assert "confusion_normalized" in project.run("plots", "templates").stdout.split()
    assert "<DVC_METRIC_DATA>" in project.run("plots", "templates", "simple").stdout
