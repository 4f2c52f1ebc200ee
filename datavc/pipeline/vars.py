"""Where variables come from: params.yaml beside a stage file, and what `vars` name."""

from __future__ import annotations

from typing import cast

from datavc.core import paths
from datavc.core.nearest import nearest
from datavc.core.paths import RepoPath
from datavc.core.stage import PARAMS_FILE, Value
from datavc.pipeline.params import Parsed, load_file
from datavc.pipeline.place import Place
from datavc.pipeline.template import has_fields
from datavc.pipeline.variables import Conflict, Scope, Tree, merged, plant
from datavc.repo.files import Files


class VarsReader:
    """Reads variables; `reads` are the files that it looked for, in order."""

    def __init__(self, files: Files, parsed: Parsed) -> None:
        """Read from `files`; `parsed` is what others have read of them already."""
        self._files = files
        self._parsed = parsed
        self._planted: dict[RepoPath, dict[str, Tree]] = {}
        self.reads: dict[RepoPath, None] = {}

    def beside(self, folder: str) -> Scope:
        """Return the variables of params.yaml in `folder`, none if it is not there."""
        path = paths.join(folder, PARAMS_FILE)
        tree = self._tree(path)
        return Scope({}, {}, {}) if tree is None else Scope(tree, {path: frozenset()}, {})

    def extended(self, scope: Scope, items: Value, folder: str, place: Place) -> Scope:
        """Return `scope` and what a list `vars` says; its files are seen from `folder`.

        Raises:
            FormatError: a file or key is missing, or a variable is given twice.
        """
        for at, item in enumerate(cast("list[Value]", items or [])):
            where = place.of(items, at)._replace(owner=f"{place.owner}vars: ")
            if has_fields(item):
                raise where.error("no ${…} can stand here")
            if isinstance(item, str):
                scope = self._with_file(scope, item, folder, where)
            else:
                scope = _merged(scope, cast("dict[str, Tree]", plant(item)), where)
        return scope

    def _with_file(self, scope: Scope, item: str, folder: str, place: Place) -> Scope:
        """Return `scope` and what `file` or `file:key,key` says."""
        written, _, listed = item.partition(":")
        path = place.path(folder, written)
        keys = frozenset(filter(None, listed.split(",")))
        before = scope.loaded.get(path)
        if before is not None:
            if not before and not keys:
                return scope
            if not before or not keys or before & keys:
                raise place.error(f"{path} is loaded already, whole or the same keys of it")
        tree = self._tree(path)
        if tree is None:
            raise place.error(f"{path} is not there")
        missing = sorted(keys - tree.keys())
        if missing:
            near = nearest(missing[0], tree)
            raise place.error(
                f"{path} has no {missing[0]}", f"did you mean {near}?" if near else ""
            )
        chosen = {key: tree[key] for key in tree if key in keys} if keys else tree
        loaded = {**scope.loaded, path: keys | (before or frozenset())}
        return _merged(scope, chosen, place)._replace(loaded=loaded)

    def _tree(self, path: RepoPath) -> dict[str, Tree] | None:
        self.reads[path] = None
        if path not in self._planted:
            values = load_file(path, self._files, self._parsed)
            if values is None:
                return None
            self._planted[path] = cast("dict[str, Tree]", plant(cast("Value", values), path))
        return self._planted[path]


def _merged(scope: Scope, more: dict[str, Tree], place: Place) -> Scope:
    try:
        return scope._replace(tree=merged(scope.tree, more))
    except Conflict as found:
        raise place.error(
            f"{found.key} is given twice, by {found.first} and by {found.second}",
            "rename it in one of them",
        ) from found
