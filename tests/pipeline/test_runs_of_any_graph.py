"""Any graph of stages, any inputs changed, any number at once: exactly what must run does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.pipeline import Pipelines, noting

SOURCES = ("s0", "s1", "s2")
BOUNDS = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


@st.composite
def graphs(draw: st.DrawFn) -> list[list[str]]:
    """Return for each stage what it reads: sources, and outputs of stages before it."""
    count = draw(st.integers(1, 6))
    known = list(SOURCES)
    found = []
    for number in range(count):
        found.append(sorted(draw(st.sets(st.sampled_from(known), min_size=1, max_size=3))))
        known.append(f"o{number}")
    return found


CHANGES = st.lists(
    st.tuples(st.sets(st.sampled_from(SOURCES)), st.integers(1, 4)), min_size=1, max_size=2
)


def expected(graph: list[list[str]], sources: dict[str, str]) -> dict[str, str]:
    """Return what each output must hold."""
    found = dict(sources)
    for number, deps in enumerate(graph):
        found[f"o{number}"] = f"{number}:" + "".join(found[dep] for dep in deps) + "\n"
    return found


def definition(graph: list[list[str]], order: list[int]) -> dict[str, dict[str, object]]:
    """Return the stages, in any order of the file."""
    return {
        f"t{number}": {
            "cmd": noting(
                f"t{number}",
                f"(printf {number}:; cat {' '.join(graph[number])}; echo) > o{number}; "
                f'echo "/t{number}" >> "$DATAVC_ROOT/ran.log"',
            ),
            "deps": graph[number],
            "outs": [f"o{number}"],
        }
        for number in order
    }


def respects(ran: list[str], graph: list[list[str]]) -> bool:
    """Tell whether each stage began only after what it needs had ended, of those that ran."""
    at = {word: place for place, word in enumerate(ran)}
    return all(
        at[f"/t{dep[1:]}"] < at[f"t{number}"]
        for number, deps in enumerate(graph)
        for dep in deps
        if dep.startswith("o") and f"t{number}" in at and f"/t{dep[1:]}" in at
    )


@BOUNDS
@given(graph=graphs(), data=st.data(), jobs=st.integers(1, 4), changes=CHANGES)
def test_exactly_the_right_stages_run_in_an_order_that_respects_what_they_need(
    graph: list[list[str]],
    data: st.DataObject,
    jobs: int,
    changes: list[tuple[set[str], int]],
) -> None:
    order = data.draw(st.permutations(range(len(graph))))
    with tempfile.TemporaryDirectory() as folder:
        work = Pipelines(Path(folder, "work"))
        sources = {name: f"{name}\n" for name in SOURCES}
        work.lay(sources)
        work.define(definition(graph, order))
        checked(work, graph, sources, jobs, dict.fromkeys(SOURCES, ""))

        for turn, (changed, next_jobs) in enumerate(changes):
            before = dict(sources)
            sources |= {name: f"{name} {turn}\n" for name in changed}
            work.lay({name: sources[name] for name in changed})
            checked(work, graph, sources, next_jobs, before)

        assert set(work.repro("-j2").actions.values()) == {"skip"}


def checked(
    work: Pipelines,
    graph: list[list[str]],
    sources: dict[str, str],
    jobs: int,
    before: dict[str, str],
) -> None:
    """Run, and check what ran, in which order, and what came of it."""
    wanted, old = expected(graph, sources), expected(graph, before)
    stale = {
        f"t{number}" for number in range(len(graph)) if wanted[f"o{number}"] != old[f"o{number}"]
    }

    found = work.repro(f"-j{jobs}")

    assert {word for word in found.ran if not word.startswith("/")} == stale
    assert len(found.ran) == 2 * len(stale)
    assert {name for name, action in found.actions.items() if action == "run"} == stale
    assert respects(found.ran, graph)
    assert {name: work.read(name).decode() for name in wanted} == wanted
    assert set(work.lock()) == {f"t{number}" for number in range(len(graph))}
