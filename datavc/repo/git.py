"""Git: the only door to it. Paths go in and come out relative to the project's root.

Questions of `status`, `diff` and the hooks are put to `git` itself (`git_process.py`); what is
asked seldom goes through GitPython, which costs 84 ms to import. Whatever a user or a repository
wrote stands behind `--` or `--end-of-options`. No method prompts, and none runs a hook.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from datavc.core.errors import DatavcError, FormatError
from datavc.core.outputs import is_record
from datavc.core.paths import RepoPath, is_inside, relative
from datavc.core.stage import is_stage_file
from datavc.repo import git_history, git_output, git_place, git_process
from datavc.repo.git_history import RevisionScope, Worktree
from datavc.repo.git_output import (
    PROJECT_PATHSPECS,
    RECORD_PATHSPECS,
    GitFile,
    IndexEntry,
    Listing,
)
from datavc.repo.git_process import Finished
from datavc.repo.git_settings import GitSettings
from datavc.repo.layout import CONFIG, FOLDER, PLOTS, TRACKED

BLOB_LIMIT = 1 << 26
"""Bytes of the largest blob that is read from Git: pointers and text are far smaller."""

FOLLOWED = ("*.datavc", "*datavc.lock")
"""Pathspecs of what data follows, as the hook script spells them."""

_ASK_GIT = 64
"""Up to so many paths Git is asked for by name; beyond, its whole list is cheaper."""
_ERROR = 128
"""Exit codes of Git from here on are errors; below, `merge-file` counts conflicts."""
_PER_CALL = 500
"""Paths on one command line."""


class Git:
    """The Git repository around one project. Making one reads two small files at most."""

    def __init__(self, root: str) -> None:
        """Find work tree and Git folders above `root`, the project's root.

        Raises:
            NotARepository: `root` is not in a Git work tree.
        """
        self.root = os.path.realpath(root)
        self.work_tree, self.git_dir, self.common_dir = git_place.find(self.root)
        inside = os.path.relpath(self.root, self.work_tree)
        self.prefix = "" if inside == "." else inside

    def listing(self) -> Listing:
        """Return records and stage files that Git tracks or would; some may be gone."""
        listed = self._listed("-c", "-o", "--exclude-standard", "--", *PROJECT_PATHSPECS)
        return Listing(self._own(listed), self._own(listed, is_stage_file))

    def records_unlike_head(self) -> dict[RepoPath, str | None]:
        """Return records that may differ from HEAD, with the blob HEAD has, None if it has none.

        Complete, but not exact: one whose file was only touched may be among them.
        """
        command = ("diff-index", "-z", "--no-renames", "--no-abbrev", "--relative")
        try:
            out = self._ask(*command, "--ignore-submodules", "HEAD", "--", *RECORD_PATHSPECS)
        except DatavcError:
            if self.head() is not None:
                raise
            return dict.fromkeys(self.listing().records)  # there is no commit yet
        before = git_output.blob_ids_before(out)
        untracked = self._listed("-o", "--exclude-standard", "--", *RECORD_PATHSPECS)
        return {path: before.get(path) for path in self._own([*before, *untracked])}

    def tracked(self, paths: Sequence[str]) -> set[RepoPath]:
        """Return the files in Git's index that are one of `paths`, or lie in one."""
        if not paths:
            return set()
        if len(paths) <= _ASK_GIT:
            asked = (path or "." for path in paths)
            listed = self._listed("-c", "--", *asked, options=("--literal-pathspecs",))
        else:
            wanted = set(paths)
            listed = [path for path in self._listed("-c") if not wanted.isdisjoint(_up(path))]
        return set(map(RepoPath, listed))

    def check_own_folder(self, root: str = "") -> None:
        """Refuse a repository whose history brings what must be this clone's alone.

        Settings that count as the user's own, the memory of what was placed here, links that
        lead the cache elsewhere: whoever can commit would choose them for everybody. `root` is
        that of the project in another work tree, if it is not this one.

        Raises:
            DatavcError: Git tracks more below `.datavc` than the project's own files.
        """
        ours = {f"{FOLDER}/{name}" for name in TRACKED}
        plots = f"{FOLDER}/{PLOTS}/"
        asked = ("ls-files", "-z", "-c", "--", f":(icase){FOLDER}")
        found = set(git_output.names(self._ask(*asked, folder=root))) - ours
        strange = sorted(name for name in found if not name.startswith(plots))
        if strange:
            more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
            raise DatavcError(
                f"Git tracks {strange[0]}{more}, which must be this clone's alone",
                f"`git rm -r -- {strange[0]}` takes it out of Git and away; add --cached to keep "
                "what you know to be yours",
            )

    def untracked(self) -> list[RepoPath]:
        """Return the files that Git neither tracks nor ignores, sorted, datavc's own left out."""
        listed = self._listed("-o", "--exclude-standard")
        return sorted(
            RepoPath(p) for p in listed if not p.startswith(f"{FOLDER}/") and p[-1] != "/"
        )

    def ignored(self, paths: Collection[str]) -> set[RepoPath]:
        """Return those of `paths` that Git's rules leave out, tracked or not.

        A folder that is not on disk is known as one by a slash at its end.
        """
        if not paths:
            return set()
        stdin = b"".join(os.fsencode(path) + b"\0" for path in paths)
        out = self._ask("check-ignore", "--no-index", "-z", "--stdin", stdin=stdin, ok=(0, 1))
        return set(map(RepoPath, git_output.names(out)))

    def unmerged(self) -> set[RepoPath]:
        """Return the paths whose conflict is not yet resolved."""
        out = self._ask("ls-files", "-u", "-z")
        return {RepoPath(entry.path) for entry in git_output.index_entries(out)}

    def index_blobs(self) -> dict[RepoPath, str]:
        """Return the records in Git's index with their blobs, unmerged ones left out."""
        out = self._ask("ls-files", "-s", "-z", "--", *RECORD_PATHSPECS)
        return _record_blobs(git_output.index_entries(out))

    def unlike_index(self) -> set[str]:
        """Return pointers and locks, below the work tree, whose files differ from the index."""
        command = ("diff-files", "-z", "--name-only", "--", *FOLLOWED)
        return set(git_output.names(self._ask(*command, folder=self.work_tree)))

    def index_listing(self) -> bytes:
        """Return the index's record of all pointers and locks of the work tree, times included.

        Byte for byte what the hook script compares; `git_output.changed_records` reads it.
        """
        command = ("ls-files", "-z", "-s", "--debug", "--", *FOLLOWED)
        return self._ask(*command, folder=self.work_tree)

    def projects(self) -> list[str]:
        """Return the absolute roots of all projects in the work tree that Git's index knows."""
        out = self._ask("ls-files", "-z", "--", f"*{FOLDER}/{CONFIG}", folder=self.work_tree)
        folders = {os.path.dirname(name) for name in git_output.names(out)}
        roots = {os.path.dirname(name) for name in folders if os.path.basename(name) == FOLDER}
        present = (os.path.normpath(os.path.join(self.work_tree, root)) for root in sorted(roots))
        return [root for root in present if os.path.isdir(os.path.join(root, FOLDER))]

    def head(self) -> str | None:
        """Return the commit that is checked out, None if there is no commit yet."""
        out = self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1))
        return out.decode().strip() or None

    def branch(self) -> str | None:
        """Return the short name of the current branch, None if HEAD is detached."""
        out = self._ask("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))
        return os.fsdecode(out.rstrip(b"\n")) or None

    def resolve(self, rev: str) -> str:
        """Return the full id of the commit that `rev`, a user's text, names.

        Raises:
            DatavcError: there is no such commit here.
        """
        if rev and "\0" not in rev:
            command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
            found = self._ask(*command, ok=(0, 1, 128)).decode("ascii", "replace").strip()
            if git_output.is_id(found):
                return found
        raise DatavcError(
            f"no such revision: {rev!r}", "`git log --all` lists commits; `git fetch` brings more"
        )

    def tree_blobs(
        self, commit: str, is_wanted: Callable[[str], bool] = is_record
    ) -> dict[RepoPath, str]:
        """Return this project's files in `commit` that are wanted, with their blobs."""
        blobs = {file.path: file.blob for file in self.tree_paths(commit, "")}
        own = git_output.own_files(blobs, git_output.nested_in(blobs), is_wanted)
        return {path: blobs[path] for path in own}

    def tree_paths(self, commit: str, folder: str) -> list[GitFile]:
        """Return the files of `commit` below `folder`, or the file of that path, by path."""
        below = "/".join(part for part in (self.prefix, folder) if part)
        literal = ("--literal-pathspecs", "ls-tree", "-r", "-z", "-l", "--full-tree")
        asked = (commit, below) if below else (commit,)
        return git_output.tree_files(self._ask(*literal, "--end-of-options", *asked), self.prefix)

    def read_blobs(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the bytes of these blobs; those that are not here are left out.

        Raises:
            FormatError: one is larger than `BLOB_LIMIT`.
        """
        if not ids:
            return {}
        sizes = git_output.blob_sizes(self._ask("cat-file", "--batch-check", stdin=_rows(ids)))
        for blob, size in sizes.items():
            if size > BLOB_LIMIT:
                raise FormatError(f"the file that Git keeps as {blob} is too large to be read")
        return git_output.blob_bytes(self._ask("cat-file", "--batch", stdin=_rows(sizes)), sizes)

    def read_file(self, commit: str, path: str) -> bytes | None:
        """Return the bytes of one file of `commit`, None if it is not there."""
        blobs = [file.blob for file in self.tree_paths(commit, path) if file.path == path]
        return self.read_blobs(blobs).get(blobs[0]) if blobs else None

    def commits(self, scope: RevisionScope) -> list[str]:
        """Return the full ids of the commits in `scope`, each once.

        Raises:
            DatavcError: one of its revisions does not exist, or its date is none.
        """
        starts = [self.resolve(rev) for rev in scope.revs]
        return git_history.in_scope(scope, starts, self._walk, self._peel)

    def named_commits(self, kind: str) -> list[tuple[str, str]]:
        """Return commit and short name of the references below `refs/KIND`, sorted by name."""
        command = ("for-each-ref", f"--format={git_history.NAMED}", "--", f"refs/{kind}/")
        return git_history.named(self._ask(*command), f"refs/{kind}/")

    def implicit_commits(self, reflog_since_s: float) -> list[str]:
        """Return the commits Git itself holds on to; reflogs count from that epoch second on."""
        return git_history.remembered(self._worktrees(), reflog_since_s, self._walk, self._peel)

    def pushed_commits(self, lines: Iterable[str], remote: str = "") -> list[str]:
        """Return the commits whose data goes with a push, from the lines of a pre-push hook.

        Of those the other side lacks: the tips, and all that change pointers. `remote` is Git's
        name of the other side: commits it was seen to have are left out.
        """
        updates = [line.split() for line in lines if len(line.split()) == 4]
        sent = self._peel(update[1] for update in updates)
        known = self._peel(update[3] for update in updates)
        if remote:
            known += git_history.references(self._walk, f"refs/remotes/{remote}/")
        if not sent:
            return []
        asked = _rows([*sent, *(f"^{commit}" for commit in known)])
        new = set(self._ask("rev-list", "--stdin", stdin=asked).decode().split())
        command = ("rev-list", "--stdin", "--full-history", "--", *FOLLOWED)
        changing = self._ask(*command, stdin=asked).decode().split()
        return list(dict.fromkeys([*(tip for tip in sent if tip in new), *changing]))

    def worktrees(self) -> list[str]:
        """Return the folders of all work trees that are on disk, this one among them."""
        return [worktree.folder for worktree in self._worktrees()]

    def other_indexes(self) -> list[dict[RepoPath, str]]:
        """Return this project's pointers and blobs in the index of every other work tree."""
        return [self._index_of(tree) for tree in self.worktrees() if tree != self.work_tree]

    def stage(self, paths: Sequence[str]) -> None:
        """Put these paths, or their removal, into the index.

        Raises:
            DatavcError: Git ignores one, or knows nothing of it.
            BusyError: another Git command is at it.
        """
        for start in range(0, len(paths), _PER_CALL):
            chosen = paths[start : start + _PER_CALL]
            self._walk(["--literal-pathspecs", "add", "--", *chosen])

    def merge_text(self, ours: str, base: str, theirs: str) -> bool:
        """Merge three files, by absolute path, line by line into `ours`; False on a conflict.

        The conflict is left there between Git's markers.
        """
        labels = ("-L", "ours", "-L", "base", "-L", "theirs")
        args = ("merge-file", "-q", *labels, "--", ours, base, theirs)
        code, _, err = self._finish(args)
        if not 0 <= code < _ERROR:
            raise self._refusal(args, err)
        return code == 0

    @property
    def settings(self) -> GitSettings:
        """The settings of this repository alone that datavc may write."""
        return GitSettings(self._ask, self._walk)

    def hooks_dir(self) -> str:
        """Return the folder Git takes this work tree's hooks from; core.hooksPath may name it."""
        out = self._ask("config", "-z", "--type=path", "--get-all", "core.hooksPath")
        set_by_others = git_output.values(out)[:-1]
        if not set_by_others:
            return os.path.join(self.common_dir, "hooks")
        return os.path.normpath(os.path.join(self.work_tree, set_by_others[-1]))

    def _own(
        self, listed: Collection[str], is_wanted: Callable[[str], bool] = is_record
    ) -> list[RepoPath]:
        """Return the wanted files among `listed` that are not a nested project's on disk."""
        nested: dict[str, bool] = {"": False}

        def is_nested(path: str) -> bool:
            folder = path.rpartition("/")[0]
            if folder not in nested:
                here = os.path.isdir(os.path.join(self.root, folder, FOLDER))
                nested[folder] = here or is_nested(folder)
            return nested[folder]

        return git_output.own_files(listed, is_nested, is_wanted)

    def _listed(self, *args: str, options: Sequence[str] = ()) -> list[str]:
        return git_output.names(self._ask(*options, "ls-files", "-z", *args))

    def _index_of(self, work_tree: str) -> dict[RepoPath, str]:
        out = self._ask("ls-files", "-s", "-z", "--", *RECORD_PATHSPECS, folder=work_tree)
        entries = git_output.index_entries(out)
        return _record_blobs(
            entry._replace(path=relative(entry.path, self.prefix))
            for entry in entries
            if is_inside(entry.path, self.prefix)
        )

    def _worktrees(self) -> list[Worktree]:
        """Return the work trees that are on disk."""
        out = self._walk(["worktree", "list", "--porcelain", "-z"])
        folders = (name[9:] for name in git_output.values(out) if name.startswith("worktree "))
        present = (folder for folder in folders if os.path.lexists(os.path.join(folder, ".git")))
        return [Worktree(folder, git_place.find(folder).git_dir) for folder in present]

    def _peel(self, names: Iterable[str]) -> list[str]:
        """Return the commits that these names of objects or references stand for, each once."""
        asked = b"".join(f"{name}^{{commit}}\n".encode() for name in names)
        out = self._ask("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
        lines = (line.split(" ") for line in out.decode("utf-8", "replace").splitlines())
        return list(dict.fromkeys(line[0] for line in lines if line[1:] == ["commit"]))

    def _walk(self, args: Sequence[str]) -> bytes:
        """Return what a Git command prints that is asked seldom, through GitPython."""
        program = git_process.executable(self.work_tree)
        with git_process.chosen(program):
            import git
        argv = [program, *git_process.GUARDS, *args]
        if strays := git_process.stray_variables():
            argv = ["/usr/bin/env", *(part for name in strays for part in ("-u", name)), *argv]
        code, out, err = git.Git(self.root).execute(
            argv,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )
        if code:
            raise self._refusal(args, os.fsencode(str(err)))
        return bytes(out)

    def _ask(
        self, *args: str, stdin: bytes = b"", ok: Sequence[int] = (0,), folder: str = ""
    ) -> bytes:
        """Return what a Git command prints, started in `folder`, else the project's root."""
        code, out, err = self._finish(args, stdin, folder)
        if code not in ok or b"dubious ownership" in err:
            raise self._refusal(args, err)
        return out

    def _finish(self, args: Sequence[str], stdin: bytes = b"", folder: str = "") -> Finished:
        program = git_process.executable(self.work_tree)
        argv = [program, "-C", folder or self.root, *git_process.GUARDS, *args]
        return git_process.spawn(argv, stdin)

    def _refusal(self, args: Sequence[str], message: bytes) -> DatavcError:
        command = next(word for word in args if not word.startswith("-"))
        return git_process.refusal(self.work_tree, command, message.decode("utf-8", "replace"))


def _rows(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _up(path: str) -> Iterator[str]:
    """Yield `path` and the folders above it, the root last."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _record_blobs(entries: Iterable[IndexEntry]) -> dict[RepoPath, str]:
    blobs = {entry.path: entry.blob for entry in entries if entry.stage == 0}
    return {path: blobs[path] for path in git_output.own_files(blobs, git_output.nested_in(blobs))}
