"""The logger of training code: the files it leaves, and what a kill leaves."""

from __future__ import annotations

import array
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from datavc import live
from datavc.core.errors import PathError, UsageError
from datavc.metrics import read

FOREVER = """
import sys
from datavc import live
live.start(sys.argv[1])
while True:
    live.log_metric("loss", 1 / 3)
    live.log_metric("val/acc", 0.5)
    live.next_step()
"""


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    live.end()


def history(folder: Path, name: str) -> list[dict[str, object]]:
    path = f"plots/metrics/{name}.tsv"
    return read.rows((folder / path).read_bytes(), path)


def test_a_run_leaves_the_layout_that_readers_of_today_know(tmp_path: Path) -> None:
    with live.start(tmp_path):
        live.log_params({"lr": 0.1, "layers": [1, 2]})
        for loss in (0.5, 0.25):
            live.log_metric("train/loss", loss)
            live.next_step()
        live.log_image("sample", b"picture")

    assert json.loads((tmp_path / "metrics.json").read_bytes()) == {
        "train": {"loss": 0.25},
        "step": 1,
    }
    assert history(tmp_path, "train/loss") == [
        {"step": 0, "loss": 0.5},
        {"step": 1, "loss": 0.25},
    ]
    params = read.parse((tmp_path / "params.yaml").read_bytes(), "params.yaml")
    assert params == {"lr": 0.1, "layers": [1, 2]}
    assert (tmp_path / "plots/images/sample.png").read_bytes() == b"picture"


def test_rows_say_when_they_were_written_if_asked(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000

    with live.start(tmp_path, times=True) as run:
        run.log_metric("loss", 1, step=7)

    (row,) = history(tmp_path, "loss")
    assert list(row) == ["timestamp", "step", "loss"]
    assert row["timestamp"] >= before  # type: ignore[operator]
    assert row["step"] == 7


def test_without_start_notes_go_to_the_folder_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    live.log_param("lr", 0.1)
    live.log_metric("loss", 0.5)
    live.end()

    assert {path.name for path in (tmp_path / "live").iterdir()} == {
        "datavc.yaml",
        "metrics.json",
        "params.yaml",
        "plots",
    }


def test_the_folder_declares_itself_outside_a_stage_and_not_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATAVC_STAGE", raising=False)
    (tmp_path / "model").touch()
    with live.start(tmp_path / "free") as run:
        run.log_metric("loss", 1)
        run.log_artifact(tmp_path / "model", type="model")
    monkeypatch.setenv("DATAVC_STAGE", "train")
    with live.start(tmp_path / "stage") as run:
        run.log_metric("loss", 1)

    text = (tmp_path / "free/datavc.yaml").read_bytes()
    assert read.parse(text, "datavc.yaml") == {
        "metrics": ["metrics.json"],
        "plots": [{"plots/metrics": {"x": "step"}}],
        "artifacts": {"model": {"path": "../model", "type": "model"}},
    }
    assert not (tmp_path / "stage/datavc.yaml").exists()


def test_a_stage_file_of_the_user_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "datavc.yaml").write_text("stages: {}\n")

    with live.start(tmp_path) as run:
        run.log_metric("loss", 1)

    assert (tmp_path / "datavc.yaml").read_text() == "stages: {}\n"


def test_a_new_run_begins_anew_and_spares_what_is_not_a_runs(tmp_path: Path) -> None:
    with live.start(tmp_path) as run:
        run.log_metric("old", 1)
        run.log_image("old", b"1")
    (tmp_path / "plots/metrics/notes.txt").write_text("mine")

    with live.start(tmp_path) as run:
        run.log_metric("new", 1)

    left = {path.name for path in (tmp_path / "plots").rglob("*") if path.is_file()}
    assert left == {"new.tsv", "notes.txt"}


def test_parameters_of_somebody_else_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("lr: 0.1\n")

    with pytest.raises(PathError, match=r"params\.yaml was not written by datavc\.live"):
        live.start(tmp_path)

    assert (tmp_path / "params.yaml").read_text() == "lr: 0.1\n"


def test_a_run_resumes_after_the_last_step_and_mends_a_torn_row(tmp_path: Path) -> None:
    with live.start(tmp_path) as run:
        run.log_metric("loss", 0.5)
    file = tmp_path / "plots/metrics/loss.tsv"
    with file.open("a") as stream:
        stream.write("1\t0.2")

    with live.start(tmp_path, resume=True) as run:
        run.log_metric("loss", 0.3)

    assert history(tmp_path, "loss") == [{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.3}]


def test_a_history_that_shares_its_bytes_with_the_cache_is_made_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    with live.start(tmp_path / "live") as run:
        run.log_metric("loss", 0.5)
    cached = tmp_path / "cached"
    os.link(tmp_path / "live/plots/metrics/loss.tsv", cached)
    before = cached.read_bytes()

    with live.start(tmp_path / "live", resume=True) as run:
        run.log_metric("loss", 0.3)

    assert cached.read_bytes() == before
    assert len(history(tmp_path / "live", "loss")) == 2


def test_values_of_array_libraries_are_taken_as_numbers(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")

    with live.start(tmp_path) as run:
        run.log_metric("loss", numpy.float64(0.5))
        run.log_param("seed", numpy.int64(3))
        run.log_image("zeros", numpy.zeros((2, 3, 3), dtype=numpy.uint8))

    assert history(tmp_path, "loss") == [{"step": 0, "loss": 0.5}]
    assert (tmp_path / "plots/images/zeros.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["../out", "/etc/x", "", "a//b", "a/../b", ".git/x"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    run = live.start(tmp_path / "live")

    with pytest.raises(PathError, match="unsafe path"):
        run.log_metric(name, 1)
    with pytest.raises(PathError, match="unsafe path"):
        run.log_image(name, b"")


@pytest.mark.parametrize("value", [None, [1], object(), {}])
def test_what_is_no_number_is_refused_by_name(tmp_path: Path, value: object) -> None:
    with pytest.raises(UsageError, match="loss is no number"):
        live.start(tmp_path).log_metric("loss", value)


def test_a_metric_cannot_be_a_group_too(tmp_path: Path) -> None:
    run = live.start(tmp_path)
    run.log_metric("loss", 1)

    with pytest.raises(UsageError, match="loss is a metric"):
        run.log_metric("loss/train", 1)


def test_an_array_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    run = live.start(tmp_path)

    with pytest.raises(UsageError, match="x is no picture"):
        run.log_image("x", array.array("d", [1.0]))
    with pytest.raises(UsageError, match="x is no picture"):
        run.log_image("x", 3)


def test_names_with_tabs_and_quotes_keep_the_table_whole(tmp_path: Path) -> None:
    with live.start(tmp_path) as run:
        run.log_metric('a "b"', 'x\t"y"\nz')

    assert history(tmp_path, 'a "b"') == [{"step": 0, 'a "b"': 'x\t"y"\nz'}]


@pytest.mark.parametrize("delay_s", [0.05, 0.15, 0.3])
def test_a_kill_at_any_moment_leaves_files_that_can_be_read(
    tmp_path: Path, delay_s: float
) -> None:
    process = subprocess.Popen([sys.executable, "-c", FOREVER, str(tmp_path)])
    metrics = tmp_path / "metrics.json"
    while not metrics.exists():
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait()

    summary = json.loads(metrics.read_bytes())
    rows = history(tmp_path, "loss")
    assert [row["step"] for row in rows] == list(range(len(rows)))
    assert len(rows) - 1 in (summary["step"], summary["step"] + 1)
    with live.start(tmp_path, resume=True) as run:
        run.log_metric("loss", 0.1)
    assert history(tmp_path, "loss")[-1] == {"step": summary["step"] + 1, "loss": 0.1}


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys; from datavc import live; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {"typer", "rich", "json", "yaml", "git", "logging", "numpy", "subprocess", "csv"}
    assert heavy.isdisjoint(done.stdout.split())
