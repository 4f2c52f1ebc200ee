from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.stage import Value
from datavc.pipeline.template import Misfit, Rendering, filled, grown, has_fields
from datavc.pipeline.variables import Conflict, Scope, Tree, merged, plain, plant

VALUES: Value = {
    "i": 7,
    "f": 1e-5,
    "whole": 1.0,
    "big": 1e22,
    "yes": True,
    "no": False,
    "text": "a b",
    "empty": "",
    "null": None,
    "list": [1, {"x": "y"}],
    "map": {"lr": 0.1, "deep": {"n": 3}},
    "a-b c": 5,
}


def scope(values: Value = None) -> Scope:
    tree = plant(VALUES if values is None else values, "params.yaml")
    assert isinstance(tree, dict)
    return Scope(tree, {}, {})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain $HOME {x}", "plain $HOME {x}"),
        ("${i}", 7),
        ("${ i }", 7),
        ("n=${i}", "n=7"),
        ("${f} ${whole} ${big}", "1e-05 1.0 1e+22"),
        ("${yes}", True),
        ("${yes}/${no}", "true/false"),
        ("${text}${empty}.", "a b."),
        ("${list[0]}", 1),
        ("${list.0}-", "1-"),
        ("${list[-1].x}", "y"),
        ("${list[1][x]}", "y"),
        ("${map.deep.n}", 3),
        ("${map[deep][n]}", 3),
        ("${a-b c}", 5),
        ("\\${HOME}", "${HOME}"),
        ("\\${i} ${i}", "${i} 7"),
        ("${i}}", "7}"),
        ("${unclosed", "${unclosed"),
        ("$${i}", "$7"),
    ],
)
def test_texts_are_filled_in(text: str, meant: Value) -> None:
    found = filled(text, scope())

    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        (
            "run ${mpa.lr}",
            "${mpa.lr} names no variable in `run ${mpa.lr}`",
            "did you mean ${map.lr}?",
        ),
        ("${HOME}/x", "${HOME} names no variable", "write \\${HOME}"),
        ("${X:-3}", "${X:-3} names no variable", "write \\${X:-3}"),
        ("${list[9]}", "${list[9]} names no variable", "params.yaml"),
        ("${list.x}", "${list.x} names no variable", ""),
        ("${i.x}", "${i.x} names no variable", ""),
        ("${}", "${} is no name of a variable", "\\${"),
        ("${a..b}", "is no name of a variable", ""),
        ("${a[}", "is no name of a variable", ""),
        ("${null}", "${null} is null in `${null}`", "give it a value"),
        ("a ${null}", "${null} is null in `a ${null}`", "give it a value"),
        ("${list}", "${list} is a list, which cannot stand in `${list}`", "${name[0]}"),
        ("a ${map}", "${map} is a map, which cannot stand in `a ${map}`", "${name.key}"),
    ],
)
def test_what_cannot_be_filled_in_is_told_with_its_text(
    text: str, problem: str, hint: str
) -> None:
    with pytest.raises(Misfit) as caught:
        filled(text, scope())

    assert problem in caught.value.problem
    assert hint in caught.value.hint


OPTIONS: Value = {
    "o": {
        "a": 1,
        "b": "x y",
        "c": {"d": True, "e": False, "f": 1e-5},
        "g": [1, "u v", True],
        "h": [],
        "i": {},
    }
}


@pytest.mark.parametrize(
    ("rendering", "meant"),
    [
        (Rendering(), "run --a 1 --b 'x y' --c.d --c.f 1e-05 --g 1 'u v' True"),
        (
            Rendering("boolean_optional", "append"),
            "run --a 1 --b 'x y' --c.d --no-c.e --c.f 1e-05 --g 1 --g 'u v' --g True",
        ),
    ],
)
def test_a_map_in_a_command_becomes_options(rendering: Rendering, meant: str) -> None:
    assert filled("run ${o}", scope(OPTIONS), rendering) == meant
    assert filled("${o}", scope(OPTIONS), rendering) == meant.removeprefix("run ")


@pytest.mark.parametrize("held", [{"a": None}, {"a": [None]}, {"a": [[1]]}, {"a": [{"b": 1}]}])
def test_a_map_with_null_or_lists_of_lists_becomes_no_options(held: Value) -> None:
    with pytest.raises(Misfit, match="a"):
        filled("run ${o}", scope({"o": held}), Rendering())


def test_what_was_used_is_known_by_file_and_key() -> None:
    seen = scope()

    filled("${map.deep.n} ${list[1].x} ${list[0]}", seen)
    filled("x ${map}", seen, Rendering())

    assert seen.used == {"params.yaml": {"map.deep.n", "list.1.x", "list.0"}}


def test_a_name_may_stand_for_lists_and_maps_where_they_fit() -> None:
    found = grown({"a${i}": ["${list}", "${map.deep}", "x${i}", None]}, scope())

    assert plain(found) == {"a7": [[1, {"x": "y"}], {"n": 3}, "x7", None]}


def test_maps_are_merged_and_leaves_are_not() -> None:
    one: dict[str, Tree] = {"a": plant({"x": 1}, "one.yaml")}
    two: dict[str, Tree] = {"a": plant({"y": 2}), "b": plant(3)}

    assert plain(merged(one, two)) == {"a": {"x": 1, "y": 2}, "b": 3}
    assert plain(one) == {"a": {"x": 1}}
    with pytest.raises(Conflict) as caught:
        merged(one, {"a": plant({"x": 1})})
    assert (caught.value.key, caught.value.first, caught.value.second) == (
        "a.x",
        "one.yaml",
        "vars",
    )


@given(st.text(alphabet="${}\\ab.[]0 -", max_size=20))
def test_any_text_is_filled_in_or_told(text: str) -> None:
    try:
        filled(text, scope({"a": 1, "b": {"a": [2]}}), Rendering())
    except Misfit:
        assert has_fields(text)
