import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import FormatError, PathError
from datavc.core.stage import Out, ParamsDep, Stage
from datavc.pipeline import graph as graphs


def stage(name, deps=(), outs=(), file="datavc.yaml", **more):
    return Stage(name, file, ("x",), deps=tuple(deps), outs=tuple(map(Out, outs)), **more)


def refusal(*stages, data=()):
    with pytest.raises(FormatError) as caught:
        graphs.build(stages, data)
    return caught.value.message


@st.composite
def dags(draw):
    """Stages in any order of the file, and for each its direct needs by number."""
    count = draw(st.integers(1, 12))
    needs = [
        draw(st.sets(st.integers(0, i - 1), max_size=4)) if i else set() for i in range(count)
    ]
    stages = [stage(f"s{i}", [f"o{n}" for n in sorted(needs[i])], [f"o{i}"]) for i in range(count)]
    return draw(st.permutations(stages)), needs


def number(one):
    return int(one.name[1:])


@given(dags())
def test_every_stage_comes_after_what_it_needs(dag):
    stages, needs = dag

    graph = graphs.build(stages)
    order = [number(graph.stages[i]) for i in graphs.order(graph, range(len(stages)))]

    assert sorted(order) == list(range(len(stages)))
    for i, needed in enumerate(needs):
        assert all(order.index(other) < order.index(i) for other in needed)
    for i, needed in enumerate(graph.needs):
        assert {number(stages[other]) for other in needed} == needs[number(stages[i])]
        assert all(i in graph.needed_by[other] for other in needed)


@given(dags(), st.data())
def test_upstream_and_downstream_are_all_that_is_reached(dag, data):
    stages, needs = dag
    graph = graphs.build(stages)
    target = data.draw(st.integers(0, len(stages) - 1))
    above = {number(stages[target])}
    for i in reversed(range(len(needs))):
        above |= needs[i] if i in above else set()

    assert {number(stages[i]) for i in graphs.upstream(graph, [target])} == above
    for i in range(len(stages)):
        reached = i in graphs.downstream(graph, [target])
        assert reached == (target in graphs.upstream(graph, [i]))


@given(dags(), st.data())
def test_a_circle_is_always_found_and_names_exactly_its_members(dag, data):
    stages, needs = dag
    last = data.draw(st.integers(0, len(needs) - 1))
    above = {last}
    for i in reversed(range(len(needs))):
        above |= needs[i] if i in above else set()
    first = data.draw(st.sampled_from(sorted(above)))
    closed = [
        one._replace(deps=(*one.deps, f"o{last}")) if number(one) == first else one
        for one in stages
    ]

    message = refusal(*closed)

    if first == last:
        assert f"s{first} (datavc.yaml) depends on o{last}, which it makes itself" in message
        return
    named = [int(part.split()[0][1:]) for part in message.partition(": ")[2].split(" needs ")]
    assert named[0] == named[-1]
    assert len(set(named)) == len(named) - 1
    for one, other in zip(named, named[1:], strict=False):
        assert other in needs[one] or (one, other) == (first, last)


@given(dags())
def test_a_file_whose_order_is_right_is_kept(dag):
    stages = sorted(dag[0], key=number)

    graph = graphs.build(stages)

    assert graphs.order(graph, range(len(stages))) == list(range(len(stages)))


def test_a_circle_through_three_files_is_named_in_order():
    message = refusal(
        stage("z", ["a"]),
        stage("a", ["c"], ["a"]),
        stage("b", ["a"], ["b"], "one/datavc.yaml"),
        stage("c", ["b"], ["c"], "two/datavc.yaml"),
    )

    assert message == (
        "stages need each other in a circle: a (datavc.yaml) needs c (two/datavc.yaml) needs "
        "b (one/datavc.yaml) needs a (datavc.yaml)"
    )


def test_folders_and_what_is_in_them_depend_on_their_makers():
    graph = graphs.build(
        [
            stage("reads the folder", ["data"], []),
            stage("reads inside", ["data/one/x"], []),
            stage("one", [], ["data/one"]),
            stage("other", [], ["data/other.csv"]),
            stage("apart", ["data-2", "dat"], []),
            stage("by params", params=(ParamsDep("data/other.csv", ()),)),
        ]
    )

    assert graph.needs == ((2, 3), (2,), (), (), (), (3,))


@pytest.mark.parametrize(
    ("stages", "data", "said"),
    [
        ([stage("a", [], ["x"]), stage("b", [], ["x"])], [], "x is an output of two stages: a"),
        (
            [stage("a", [], ["d/x/y"]), stage("b", [], ["d"])],
            [],
            "d/x/y, an output of stage a (datavc.yaml), lies inside d, an output of stage b",
        ),
        ([stage("a", ["d"], ["d/x"])], [], "a (datavc.yaml) depends on d, which it makes"),
        ([stage("a", ["d/x"], ["d"])], [], "a (datavc.yaml) depends on d/x, which it makes"),
        ([stage("a", [], ["d"])], ["d"], "d, an output of stage a (datavc.yaml), is tracked"),
        ([stage("a", [], ["d/x"])], ["d"], "overlaps with d, which is tracked as data"),
        ([stage("a", [], ["d"])], ["d/x"], "overlaps with d/x, which is tracked as data"),
    ],
)
def test_what_does_not_go_together_is_named(stages, data, said):
    assert said in refusal(*stages, data=data)


def test_neighbours_with_like_names_do_not_overlap():
    graph = graphs.build([stage("a", [], ["d/x", "d/x.txt", "d.csv"])], ["d/xy", "dd"])

    assert graph.producer == {"d/x": 0, "d/x.txt": 0, "d.csv": 0}


def test_the_longest_way_to_the_end_is_what_counts():
    graph = graphs.build(
        [stage("a", [], ["a"]), stage("b", ["a"], ["b"]), stage("c", ["a"]), stage("d", ["b"])]
    )

    assert graphs.critical(graph, [1, 2, 9, 3]) == [10, 5, 9, 3]


def test_pipelines_are_what_hangs_together():
    graph = graphs.build(
        [stage("a", [], ["a"]), stage("x", [], ["x"]), stage("b", ["a"]), stage("y", ["x"])]
    )

    assert graphs.components(graph) == [[0, 2], [1, 3]]


def test_what_a_frozen_stage_needs_can_be_left_out():
    graph = graphs.build(
        [stage("a", [], ["a"]), stage("b", ["a"], ["b"], frozen=True), stage("c", ["b"])]
    )

    assert graphs.upstream(graph, [2]) == {0, 1, 2}
    assert graphs.upstream(graph, [2], past_frozen=False) == {1, 2}


@pytest.fixture(scope="module")
def project():
    return graphs.build(
        [
            stage("train@1", ["p"], ["models/1"]),
            stage("train@2", ["p"], ["models/2"]),
            stage("prepare", [], ["p"]),
            stage("train", ["models/1"], ["sub/out"], "sub/datavc.yaml"),
            stage("only", [], ["sub/o"], "sub/datavc.yaml"),
            stage("both", [], [], "sub/datavc.yaml"),
            stage("both", [], [], "other/datavc.yaml"),
        ]
    )


@pytest.mark.parametrize(
    ("text", "here", "found"),
    [
        ("train", "", [0, 1]),
        ("train@2", "", [1]),
        ("train@2", "sub", [1]),
        ("train", "sub", [3]),
        ("train", "other", [0, 1]),
        ("only", "", [4]),
        ("both", "sub", [5]),
        ("datavc.yaml", "", [0, 1, 2]),
        ("datavc.yaml", "sub", [3, 4, 5]),
        ("sub/datavc.yaml:train", "", [3]),
        ("sub/datavc.yaml:train", "sub", [3]),
        ("../datavc.yaml:train", "sub", [0, 1]),
        (":prepare", "", [2]),
        ("models/2", "", [1]),
        ("models/2/weights/a", "", [1]),
        ("../models/1", "sub", [0]),
        ("./out", "sub", [3]),
    ],
)
def test_a_target_names_stages(project, text, here, found):
    assert graphs.find(project, text, here) == found


@pytest.mark.parametrize(
    ("text", "found"), [("train*", [0, 1]), ("*@1", [0]), ("sub/*:*", [3, 4, 5]), ("both", [])]
)
def test_a_pattern_names_all_that_match(project, text, found):
    if found:
        assert graphs.find(project, text, glob=True) == found
    else:
        with pytest.raises(PathError, match="no stage"):
            graphs.find(project, text, glob=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prepaer", "did you mean prepare?"),
        ("tarin", "did you mean train?"),
        ("modles/1", "did you mean models/1?"),
        ("zzzzzzzzzzzz", "stage list --all"),
        ("both", "sub/datavc.yaml:both"),
    ],
)
def test_an_unknown_target_names_the_nearest(project, text, said):
    with pytest.raises(PathError) as caught:
        graphs.find(project, text)

    assert said in caught.value.hint


def test_five_thousand_stages_are_put_in_order_at_once():
    stages = [
        stage(f"s{i}", ["src/a.py", f"data/{i}", f"out/{i // 50}/{i - 1}"], [f"out/{i // 50}/{i}"])
        for i in range(5000)
    ]
    began = time.process_time()

    graph = graphs.build(stages, [f"data/{i}" for i in range(5000)])

    assert time.process_time() - began < 0.5
    assert len(graphs.components(graph)) == 100
