"""`.datavcignore`: names that datavc passes over, by the rules of .gitignore.

A file applies to the folder it stands in and those below; the deepest that has a matching line
decides, in it the last such line. Nothing below an ignored folder can be taken back in.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from datavc.core.errors import FormatError, PathError
from datavc.core.paths import join, name, parent
from datavc.repo.layout import FOLDER, IGNORE_FILE

SIZE_LIMIT = 1 << 20
"""Bytes in one file of patterns."""

ALWAYS = (".git", FOLDER)
"""Names that belong to Git and datavc themselves, wherever they stand."""

REMEMBERED = 4096
"""Folders whose patterns are kept in memory; a walk needs those it is in."""

MOST_ANY_FOLDERS = 4
"""How often a line may mean "any folders": the time that it takes grows with such a power."""

_ANY_FOLDERS = ".+"
_ANY_LETTER = "[^/]"
_ANY_LETTERS = "[^/]*"
"""What pathspec writes for `**`, `?` and `*`."""
_FOLDER_MARK = (
    "ps_d"  # the group in which pathspec's expressions (0.12 to 1.1) note a folder's end
)


class Rule(NamedTuple):
    """A line that decides; `file` is below the project's root, and empty for what always holds."""

    file: str
    line: int
    pattern: str
    negated: bool = False


class _Pattern(NamedTuple):
    """A line as an expression, which also finds what lies below the names that the line means.

    `only_inside` is set for `folder/**`, whose expression finds the folder too, but means what
    is in it.
    """

    rule: Rule
    regex: re.Pattern[str]
    only_inside: bool

    def means(self, text: str) -> bool:
        """Tell whether `text`, which ends in a slash if it is a folder, is meant itself."""
        if self.only_inside:
            if self.rule.pattern.rstrip().endswith("/") and not text.endswith("/"):
                return False
            return self.regex.search(parent(text.removesuffix("/")) + "/") is not None
        marked = _FOLDER_MARK in self.regex.groupindex
        return any(
            not marked or found.end(_FOLDER_MARK) in (-1, len(text))
            for found in self.regex.finditer(text)
        )


class _Layer(NamedTuple):
    """The patterns of one folder, the last line first."""

    folder: str
    patterns: tuple[_Pattern, ...]


class IgnoreRules:
    """All rules of one project; files of patterns are read when their folder is first met."""

    def __init__(self, root: str) -> None:
        """Begin at the project's root, an absolute path; nothing is read yet."""
        self._root = root
        self._layers: dict[str, tuple[_Layer, ...]] = {}

    def match(self, path: str, *, is_dir: bool) -> Rule | None:
        """Return the line because of which `path`, or a folder above it, is ignored."""
        rule = self.deciding(path, is_dir=is_dir)
        return None if rule is None or rule.negated else rule

    def deciding(self, path: str, *, is_dir: bool) -> Rule | None:
        """Return the line that decides about `path`, also one that takes it back in.

        Raises:
            FormatError, PathError: a file of patterns cannot be read.
        """
        for folder in _folders(path):
            rule = self._own(folder, is_dir=True)
            if rule is not None and not rule.negated:
                return rule
        return self._own(path, is_dir=is_dir)

    def matching(self, path: str, *, is_dir: bool) -> list[Rule]:
        """Return all lines that mean `path`, or a folder above it, the deciding one last.

        Raises:
            FormatError, PathError: a file of patterns cannot be read.
        """
        for folder in _folders(path):
            rules = self._all(folder, is_dir=True)
            if rules and not rules[-1].negated:
                return rules
        return self._all(path, is_dir=is_dir)

    def is_ignored(self, path: str, *, is_dir: bool) -> bool:
        """Tell whether a walk passes over `path`; the folders above it are those it came through.

        So a tracked directory is walked even if a rule names that directory itself.
        """
        folder, _, last = path.rpartition("/")
        if last in ALWAYS:
            return True
        layers = self._layers.get(folder)
        if layers is None:
            layers = self._at(folder)
        if not layers:
            return False
        rule = self._own(path, is_dir=is_dir)
        return rule is not None and not rule.negated

    def is_free(self, folder: str) -> bool:
        """Tell whether no line of any file says something about names in `folder`."""
        return not self._at(folder)

    def passes_over(self, files: Sequence[str]) -> bool:
        """Tell whether a walk would not see one of `files`, or a folder above it."""
        if all(map(self.is_free, {parent(file) for file in files})):
            return False
        return any(self.match(file, is_dir=False) for file in files)

    def _own(self, path: str, *, is_dir: bool) -> Rule | None:
        """Return the line that decides about `path`, no matter what is above it."""
        return next(self._meaning(path, is_dir=is_dir), None)

    def _all(self, path: str, *, is_dir: bool) -> list[Rule]:
        """Return the lines that mean `path` itself, the deciding one last."""
        return list(self._meaning(path, is_dir=is_dir))[::-1]

    def _meaning(self, path: str, *, is_dir: bool) -> Iterator[Rule]:
        """Yield the lines that mean `path` itself, the deciding one first."""
        if name(path) in ALWAYS:
            yield Rule("", 0, name(path))
        for layer in self._at(parent(path)):
            text = path[len(layer.folder) + 1 :] if layer.folder else path
            text += "/" if is_dir else ""
            for pattern in layer.patterns:
                if pattern.means(text):
                    yield pattern.rule

    def _at(self, folder: str) -> tuple[_Layer, ...]:
        """Return what applies to names in `folder`, deepest first."""
        known = self._layers.get(folder)
        if known is not None:
            return known
        above = self._at(parent(folder)) if folder else ()
        patterns = tuple(self._read(folder))
        layers = (_Layer(folder, patterns), *above) if patterns else above
        if len(self._layers) >= REMEMBERED:
            self._layers.clear()
        self._layers[folder] = layers
        return layers

    def _read(self, folder: str) -> Iterator[_Pattern]:
        """Yield the patterns of the file in `folder`, the last line first."""
        file = join(folder, IGNORE_FILE)
        data = _content(os.path.join(self._root, file), file)
        if not data:
            return
        text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        for number, line in reversed(list(enumerate(text.split("\n"), 1))):
            line = line.removesuffix("\r")
            regex = _compile(line)
            if regex is not None and regex.pattern.count(_ANY_FOLDERS) > MOST_ANY_FOLDERS:
                raise FormatError(f"{file}: line {number}: `**` stands too often: {line[:40]}")
            if regex is not None:
                body = line.rstrip().removesuffix("/").removeprefix("!")
                inside = body.endswith("/**") and body != "/**"
                yield _Pattern(Rule(file, number, line, line.startswith("!")), regex, inside)


def load(root: str) -> IgnoreRules:
    """Return the rules of the project at `root`, an absolute path."""
    return IgnoreRules(root)


def _folders(path: str) -> Iterator[str]:
    """Yield the folders above `path`, from the top."""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _content(full: str, file: str) -> bytes:
    """Return the bytes of a file of patterns; nothing if there is none."""
    try:
        fd = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise PathError(f"{file} cannot be read: {error.strerror}") from error
    with open(fd, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise PathError(f"{file} is not a file")
        data = stream.read(SIZE_LIMIT + 1) or b""
    if len(data) > SIZE_LIMIT:
        raise FormatError(f"{file} is larger than {SIZE_LIMIT} bytes")
    return data


def _compile(line: str) -> re.Pattern[str] | None:
    """Return the expression of one line; None for a comment, a blank, or what Git passes over."""
    if not line.strip() or line.startswith("#"):
        return None
    import pathspec

    try:
        (pattern,) = pathspec.GitIgnoreSpec.from_lines([line]).patterns
    except (ValueError, re.error):  # a range such as [z-a], which matches nothing
        return None
    if pattern.include is None or pattern.regex is None:
        return None
    return re.compile(_linear(pattern.regex.pattern), pattern.regex.flags)


def _linear(expression: str) -> str:
    """Return an expression of the same meaning that `*a*b*c` holds up no longer than `*c`.

    What stands between two stars is taken where it is found first: the second star makes good
    whatever lies behind. Without that, eight stars and a long name take longer than a life.
    """
    first, *pieces = expression.split(_ANY_LETTERS)
    done = first
    for piece in pieces[:-1]:
        if not piece:
            continue
        within = not set("/()").intersection(piece.replace(_ANY_LETTER, ""))
        done += f"(?>{_ANY_LETTERS}?{piece})" if within else _ANY_LETTERS + piece
    return done + _ANY_LETTERS + pieces[-1] if pieces else done
