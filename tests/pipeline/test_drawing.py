from hypothesis import given
from hypothesis import strategies as st

from datavc.core.stage import Out, Stage
from datavc.pipeline import drawing
from datavc.pipeline import graph as graphs
from datavc.pipeline.drawing import Node, Picture

UP, THROUGH = "╵│╯┤╰├┴┼", "│┤├┼"


def stage(name, deps=(), outs=()):
    return Stage(name, "datavc.yaml", ("x",), deps=tuple(deps), outs=tuple(map(Out, outs)))


@st.composite
def pictures(draw):
    count = draw(st.integers(1, 14))
    needs = [
        draw(st.sets(st.integers(0, max(i - 1, 0)), max_size=4 if i else 0)) for i in range(count)
    ]
    nodes = tuple(Node(f"s{i}", "stage") for i in range(count))
    return Picture(nodes, tuple(tuple(sorted(needed)) for needed in needs))


def read_back(lines):
    """Return what each node needs, as somebody sees it who follows the strokes down."""
    lanes, needs, leading = {}, [], set()
    for line in lines:
        cells, gaps = line[::2], line[1::2]
        if "●" in line:
            column = cells.index("●")
            needs.append(leading | ({lanes.pop(column)} if column in lanes else set()))
            lanes = {at: one for at, one in lanes.items() if cells[at : at + 1] == "│"}
            lanes[column] = len(needs) - 1
            leading = set()
            continue
        run = [at for at, gap in enumerate(gaps) if gap == "─"]
        joined = [at for at in range(run[0], run[-1] + 2) if cells[at] not in "│─"] if run else []
        leading = {lanes[at] for at in joined if cells[at] in UP}
        lanes = {
            at: one for at, one in lanes.items() if cells[at : at + 1] and cells[at] in THROUGH
        }
    return tuple(tuple(sorted(needed)) for needed in needs)


@given(pictures())
def test_the_strokes_say_what_each_node_needs_and_nothing_else(picture):
    lines = list(drawing.text(picture))

    assert read_back(lines) == picture.needs
    assert [line.split()[-1] for line in lines if "●" in line] == [n.name for n in picture.nodes]


def test_a_chain_takes_a_line_a_stage():
    graph = graphs.build([stage(f"s{i}", [f"o{i - 1}"], [f"o{i}"]) for i in range(50)])

    assert list(drawing.text(drawing.of_stages(graph, []))) == [f"● s{i}" for i in range(50)]


def test_data_stands_right_above_the_first_that_needs_it():
    graph = graphs.build([stage("a", [], ["x"]), stage("b", ["x", "late/in/it"])], ["late"])

    assert list(drawing.text(drawing.of_stages(graph, ["late", "unused"]))) == [
        "● a",
        "│ ○ late.datavc",
        "├─╯",
        "● b",
    ]


def test_names_cannot_end_the_text_they_stand_in():
    hostile = 'a"];b\\'
    picture = Picture((Node(hostile, "stage"),), ((),))

    assert list(drawing.dot(picture))[1] == '"a\\"];b\\\\";'
    assert list(drawing.mermaid(picture))[1] == '\tnode1["a#34;];b#92;"]'


def test_an_output_needs_what_its_stage_needs():
    graph = graphs.build([stage("a", ["in"], ["x", "y"]), stage("b", ["y"], ["z"])], ["in"])

    picture = drawing.of_outputs(graph, ["in"])

    assert [node.name for node in picture.nodes] == ["in", "x", "y", "z"]
    assert picture.needs == ((), (0,), (0,), (2,))


def test_a_part_is_what_leads_to_it_or_all_around_it():
    graph = graphs.build([stage("a", [], ["x"]), stage("b", ["x"]), stage("c", ["x"]), stage("d")])
    picture = drawing.of_stages(graph, [])
    chosen = {Node("b", "stage")}

    needed, around = (drawing.part(picture, chosen, full=full) for full in (False, True))

    assert [node.name for node in needed.nodes] == ["a", "b"]
    assert [node.name for node in around.nodes] == ["a", "b", "c"]
    assert needed.needs == ((), (0,))
