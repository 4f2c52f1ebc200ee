import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import FormatError
from datavc.formats import people_yaml, stage_edit
from datavc.formats.stage_edit import Entries

FILE = """\
# the pipeline
vars: [a]
stages:
  # first of all
  prepare:
    cmd: |
      one

      # not a comment
    deps: [raw]   # from the lab

  # about train
  train: {cmd: x, deps: [1]}
  "last one":
    # why
    cmd: foo
    unknown: kept
    # deeper
  # old: x

# metrics follow
metrics: [m]
"""


def put(text, name="new", **definition):
    return stage_edit.put(text.encode(), name, definition or {"cmd": "x"}, "f").decode()


def remove(text, name):
    return stage_edit.remove(text.encode(), name, "f").decode()


def freeze(text, name, frozen=True):
    return stage_edit.freeze(text.encode(), name, "f", frozen=frozen).decode()


def test_a_new_stage_comes_after_the_last_and_nothing_else_changes():
    new = put(FILE, cmd="python x.py > y", outs=[{"o": {"cache": False}}, "../p"])

    added = """\
  new:
    cmd: python x.py > y
    outs:
      - o:
          cache: false
      - ../p
"""
    assert new == FILE.replace("    # deeper\n", "    # deeper\n" + added)


def test_a_stage_takes_the_place_of_its_namesake():
    new = put(FILE, "train", cmd="z")

    assert new == FILE.replace("  train: {cmd: x, deps: [1]}\n", "  train:\n    cmd: z\n")


def test_a_removed_stage_leaves_the_comments_of_the_others():
    new = remove(FILE, "prepare")

    assert "# first of all\n" in new
    assert "  # about train\n  train: {cmd: x" in new
    assert "prepare" not in new
    assert "# not a comment" not in new


def test_a_file_without_stages_is_still_one():
    new = remove(remove(remove(FILE, "prepare"), "train"), "last one")

    assert "stages: {}\n" in new
    assert "metrics: [m]" in new
    assert "  again:\n    cmd: x\n" in put(new, "again")


@pytest.mark.parametrize("name", ["prepare", "train", "last one"])
def test_freezing_and_unfreezing_leaves_every_byte_as_it_was(name):
    frozen = freeze(FILE, name)

    assert people_yaml.load(frozen.encode(), "f").value["stages"][name]["frozen"] is True
    assert len(frozen) > len(FILE)
    assert freeze(frozen, name) == frozen
    assert freeze(frozen, name, frozen=False) == FILE


def test_frozen_stands_below_do_where_foreach_makes_the_stages():
    new = freeze("stages:\n  a:\n    foreach: [1]\n    do:\n      cmd: x\n", "a")

    assert new == "stages:\n  a:\n    foreach: [1]\n    do:\n      frozen: true\n      cmd: x\n"


def test_a_frozen_false_of_the_user_becomes_true():
    new = freeze("stages:\n  a:\n    cmd: x\n    frozen: false  # not yet\n", "a")

    assert people_yaml.load(new.encode(), "f").value["stages"]["a"] == {"cmd": "x", "frozen": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "stages:\n  new:\n    cmd: x\n"),
        ("# c\n", "# c\n\nstages:\n  new:\n    cmd: x\n"),
        ("stages:\n", "stages:\n  new:\n    cmd: x\n"),
        ("stages: {}  # c\nmetrics: [a]", "stages:  # c\n  new:\n    cmd: x\nmetrics: [a]"),
        ("stages:\n  a:\n    cmd: x", "stages:\n  a:\n    cmd: x\n  new:\n    cmd: x\n"),
        (
            "stages:\n    a:\n        cmd: x\n",
            "stages:\n    a:\n        cmd: x\n    new:\n      cmd: x\n",
        ),
        ("\ufeffstages:\n", "\ufeffstages:\n  new:\n    cmd: x\n"),
    ],
)
def test_a_first_stage_finds_its_place(text, expected):
    assert put(text) == expected


def test_line_ends_of_windows_stay():
    assert put("stages:\r\n  a:\r\n    cmd: x\r\n") == (
        "stages:\r\n  a:\r\n    cmd: x\r\n  new:\r\n    cmd: x\r\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "stages: {a: {cmd: x}}\n",
        "base: &b\n  a:\n    cmd: x\nstages: *b\n",
    ],
)
def test_what_only_a_person_can_change_is_refused(text):
    with pytest.raises(FormatError, match="only a person can change"):
        put(text)


def test_a_stage_that_another_is_copied_from_is_not_removed():
    with pytest.raises(FormatError, match="f"):
        remove("stages:\n  a: &a\n    cmd: x\n  b: *a\n", "a")


TEXTS = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["yes", "1e5", "a: b", "a #b", "0x1f", "2020-01-01", "../x", "a\nb", "x > y", "${a}", "~"]
)


@given(name=TEXTS.map(str.strip).filter(bool), cmd=TEXTS, deps=st.lists(TEXTS, max_size=3))
def test_what_is_put_in_is_what_is_read(name, cmd, deps):
    definition = {"cmd": cmd, **({"deps": deps} if deps else {})}
    try:
        cmd.encode(), name.encode(), "".join(deps).encode()
    except UnicodeEncodeError:
        return

    new = stage_edit.put(FILE.encode(), name, definition, "f")

    assert stage_edit.stages(new, "f")[name] == definition


LISTS = """\
stages:
  block:
    cmd: x
    deps:
      - a  # one
      - b:
          # why
          c: d
      # - old

    # about outs
    outs:
      - o:
          cache: false
  flow: {cmd: "é y", deps: [a, "b"  ], outs: []}
  many:
    foreach: [1]
    do:
      cmd: |
        x ${item}

        # not a comment
      # why
      metrics:
      - m
      deps: [
        a,  # first
        b,
      ]

  # about grid
  grid:
    matrix: {k: [1]}
    cmd: z
    deps:  # none yet
      # - raw

plots: [p]
"""


def declare(text, name, deps=(), outs=()):
    return stage_edit.declare(text.encode(), {name: Entries(deps, outs)}, "f").decode()


def test_declared_files_come_after_those_of_a_block_list():
    new = declare(LISTS, "block", ["new/x", "a", "b"], ["o", "p"])

    assert new == LISTS.replace("      # - old\n", "      # - old\n      - new/x\n").replace(
        "          cache: false\n", "          cache: false\n      - p\n"
    )


def test_declared_files_come_after_those_in_brackets():
    new = declare(LISTS, "flow", ["x, y", "[z]/q r", "t"], ["a/b"])

    said = '[a, "b", "x, y", "[z]/q r", t  ], outs: [a/b]'
    assert new == LISTS.replace('[a, "b"  ], outs: []', said)


def test_declared_files_stand_below_do_and_new_keys_as_others_there():
    new = declare(LISTS, "many", ["c"], ["m", "q"])

    assert new == LISTS.replace("        b,\n", "        b, c,\n").replace(
        "      ]\n", "      ]\n      outs:\n      - q\n"
    )


def test_an_empty_key_is_filled_and_a_missing_one_made():
    new = declare(LISTS, "grid", ["c"], ["q"])

    assert new == LISTS.replace(
        "      # - raw\n", "      # - raw\n      - c\n    outs:\n      - q\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "stages:\n  a:\n    outs: [o]\n    cmd: x",
            "stages:\n  a:\n    outs: [o, p]\n    cmd: x\n    deps:\n      - d\n",
        ),
        ("stages:\n  a: {cmd: x}\n", "stages:\n  a: {cmd: x, deps: [d], outs: [p]}\n"),
        (
            "stages:\r\n  a:\r\n    cmd: x\r\n    deps: null\r\n",
            "stages:\r\n  a:\r\n    cmd: x\r\n    deps:\r\n      - d\r\n"
            "    outs:\r\n      - p\r\n",
        ),
        (
            "\ufeffstages:\n  a:\n    cmd: x\n    deps: &d # - c\n    -   e",
            "\ufeffstages:\n  a:\n    cmd: x\n    deps: &d # - c\n    -   e\n    - d\n"
            "    outs:\n    - p\n",
        ),
        (
            "stages:\n  b: &b\n    cmd: x\n    deps: [e]\n  a:\n    <<: *b\n",
            "stages:\n  b: &b\n    cmd: x\n    deps: [e]\n  a:\n    <<: *b\n"
            "    deps:\n      - e\n      - d\n    outs:\n      - p\n",
        ),
    ],
)
def test_declaring_makes_what_is_missing(text, expected):
    assert declare(text, "a", ["d"], ["p"]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "stages: {a: {cmd: x}}\n",
        "stages:\n  a: &a\n    cmd: x\n  b: *a\n",
        "stages:\n  b: &b\n    cmd: x\n  a: *b\n",
        "stages:\n  b:\n    cmd: x\n    deps: &d [e]\n  a:\n    cmd: x\n    deps: *d\n",
        "stages:\n  a:\n    cmd: x\n    deps: &d [e]\n  b:\n    cmd: x\n    deps: *d\n",
        "stages:\n  b: {cmd: &c x}\n  a: {cmd: *c}\n",
    ],
)
def test_declaring_changes_no_other_stage(text):
    with pytest.raises(FormatError, match="only a person can change"):
        declare(text, "a", ["d"])


def test_freezing_changes_no_other_stage():
    with pytest.raises(FormatError, match="only a person can change"):
        freeze("stages:\n  a: &a\n    cmd: x\n  b: *a\n", "a")


def test_declaring_for_all_stages_at_once_is_declaring_for_each():
    names = ("block", "flow", "many", "grid")
    each = LISTS
    for name in names:
        each = declare(each, name, ["x"], ["y"])

    more = dict.fromkeys(names, Entries(["x", "x"], ["y"]))
    once = stage_edit.declare(LISTS.encode(), more, "f")

    assert once.decode() == each
    assert stage_edit.declare(once, more, "f") == once


@given(
    name=st.sampled_from(["flow", "many", "grid"]),
    deps=st.lists(TEXTS | st.text(",[]{}#: ab", min_size=1), min_size=1, max_size=3),
)
def test_what_is_declared_is_what_is_read(name, deps):
    try:
        "".join(deps).encode()
    except UnicodeEncodeError:
        return

    new = declare(LISTS, name, deps)

    stage = stage_edit.stages(new.encode(), "f")[name]
    assert set(deps) <= set(stage.get("do", stage)["deps"])
