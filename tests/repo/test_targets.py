import pytest

from datavc.core.digest import Digest
from datavc.core.errors import FormatError, PathError
from datavc.core.outputs import Pointer, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.repo.inventory import Inventory
from datavc.repo.targets import Selection, narrow, repo_path, require_matches, select

DIGEST = Digest("blake3:" + "0" * 64)


def output(path: str, kind: str = "directory") -> TrackedOutput:
    name = path.rpartition("/")[2]
    return TrackedOutput(
        RepoPath(path),
        RepoPath(f"{path}.datavc"),
        Pointer(name, kind, DIGEST),  # type: ignore[arg-type]
    )


@pytest.fixture
def inventory() -> Inventory:
    found = [output("data/img"), output("data/raw.csv", "file"), output("model", "file")]
    broken = {RepoPath("bad.datavc"): FormatError("bad.datavc: line 1: no pointer")}
    return Inventory({out.path: out for out in found}, broken)


def chosen(inventory: Inventory, *targets: str) -> dict[str, tuple[str, ...]]:
    found = select(inventory, [RepoPath(target) for target in targets])
    return {selection.output.path: selection.inside for selection in found}


def test_nothing_named_means_everything(inventory: Inventory) -> None:
    assert chosen(inventory) == {"data/img": (), "data/raw.csv": (), "model": ()}


@pytest.mark.parametrize("target", ["model", "model.datavc"])
def test_an_output_is_named_by_itself_or_by_its_pointer(inventory: Inventory, target: str) -> None:
    assert chosen(inventory, target) == {"model": ()}


def test_a_folder_names_what_is_below(inventory: Inventory) -> None:
    assert chosen(inventory, "data") == {"data/img": (), "data/raw.csv": ()}


def test_paths_and_patterns_inside_a_directory(inventory: Inventory) -> None:
    assert chosen(inventory, "data/img/a/b.png", "data/img/*.jpg") == {
        "data/img": ("a/b.png", "*.jpg")
    }


@pytest.mark.parametrize("targets", [("data/img/a", "data/img"), ("data/img", "data/img/a")])
def test_the_whole_includes_its_parts(inventory: Inventory, targets: tuple[str, str]) -> None:
    assert chosen(inventory, *targets) == {"data/img": ()}


def test_patterns_name_outputs(inventory: Inventory) -> None:
    assert chosen(inventory, "data/*") == {"data/img": (), "data/raw.csv": ()}
    assert chosen(inventory, "mod?l") == {"model": ()}
    assert chosen(inventory, "**/*.csv") == {"data/raw.csv": ()}
    with pytest.raises(PathError):
        chosen(inventory, "*.csv")


@pytest.mark.parametrize("target", ["modell", "data/imgs", "model/x", "data/raw.csv/x", "x*"])
def test_what_is_not_tracked_is_an_error(inventory: Inventory, target: str) -> None:
    with pytest.raises(PathError):
        chosen(inventory, target)


def test_the_nearest_name_is_offered(inventory: Inventory) -> None:
    with pytest.raises(PathError) as caught:
        chosen(inventory, "modle")
    assert "model" in caught.value.hint


@pytest.mark.parametrize("target", ["bad", "bad.datavc"])
def test_a_pointer_that_is_broken_is_told_when_it_is_needed(
    inventory: Inventory, target: str
) -> None:
    with pytest.raises(FormatError, match=r"bad\.datavc"):
        chosen(inventory, target)


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("a", "a", True),
        ("a", "a/b", True),
        ("a", "ab", False),
        ("*.png", "x.png", True),
        ("*.png", "sub/x.png", False),
        ("**/*.png", "x.png", True),
        ("**/*.png", "sub/deep/x.png", True),
        ("sub/**", "sub/deep/x.png", True),
        ("sub/*", "sub/deep/x.png", True),  # the folder that it names, and so what is inside
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("?", "a", True),
        ("?", "ab", False),
        ("a?b", "a/b", False),
        ("[ab].png", "b.png", True),
        ("[!ab].png", "b.png", False),
        ("a[1].png", "a[1].png", True),
        ("a*", "a.b", True),
        ("a.*", "axb", False),
        ("*a*b*", "xaxbx", True),
        ("*a*b*", "xa/bx", False),
    ],
)
def test_shell_patterns(pattern: str, path: str, covered: bool) -> None:  # noqa: FBT001
    assert Selection(output("d"), (pattern,)).covers(path) is covered


def test_each_part_must_name_something() -> None:
    selection = Selection(output("d"), ("a", "*.png"))

    require_matches(selection, ["a", "x.png"])
    with pytest.raises(PathError, match=r"d/\*\.png"):
        require_matches(selection, ["a", "x.jpg"])


def test_one_version_is_narrowed_to_what_is_named() -> None:
    found = output("data/img")

    for target in ("data", "data/img", "data/img.datavc", "data/*", "**/img"):
        assert narrow(found, [RepoPath(target)]) == Selection(found)
    assert narrow(found, [RepoPath("data/img/x")]) == Selection(found, ("x",))
    assert narrow(found, [RepoPath("other")]) is None
    assert narrow(found, []) == Selection(found)


@pytest.mark.parametrize(
    ("here", "text", "path"),
    [
        ("", "a", "a"),
        ("", "./a/", "a"),
        ("", "a//b/../c", "a/c"),
        ("sub", "a", "sub/a"),
        ("sub", "../a", "a"),
        ("sub", "", "sub"),
        ("", ".", ""),
    ],
)
def test_what_is_typed_is_seen_from_where_one_stands(tmp_path, here, text, path) -> None:
    (tmp_path / "sub").mkdir()
    root = str(tmp_path)

    assert repo_path(root, str(tmp_path / here), text) == path
    assert repo_path(root, "/", str(tmp_path / here / text)) == path


@pytest.mark.parametrize("text", ["..", "../x", "/etc/passwd", ".git/config", "a\0b", "x/.GIT"])
def test_places_elsewhere_are_refused(tmp_path, text: str) -> None:
    with pytest.raises(PathError):
        repo_path(str(tmp_path), str(tmp_path), text)


def test_a_link_is_named_itself_and_its_folder_followed(tmp_path) -> None:
    (tmp_path / "root/real").mkdir(parents=True)
    (tmp_path / "root/link").symlink_to("real")
    (tmp_path / "root/away").symlink_to("/")
    root = str(tmp_path / "root")

    assert repo_path(root, root, "link") == "link"
    assert repo_path(root, root, "link/x") == "real/x"
    with pytest.raises(PathError):
        repo_path(root, root, "away/x")
