"""hook: what Git's hooks call. Data follows the pointers that Git moved, and goes with a push."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import DatavcError
from datavc.core.outputs import TrackedOutput, is_record
from datavc.core.progress import SILENT, Progress
from datavc.repo import hooks, stamp
from datavc.repo.git import Git
from datavc.repo.git_history import RevisionScope
from datavc.repo.repo import Repo
from datavc.verbs.checkout import CheckoutOptions, CheckoutResult, checkout
from datavc.verbs.scanning import inventory
from datavc.verbs.sync_options import SyncOptions

PATIENCE = {"core.lock_timeout": "2"}
"""Git waits for us: a datavc that is at work is not waited for long; the next one catches up."""


class HookResult(NamedTuple):
    """What happened, for all projects of the work tree together.

    `lines` are calm sentences, one each for what did not follow; `exit_code` matters to pre-push
    alone, whose push it stops.
    """

    files: int = 0
    lines: tuple[str, ...] = ()
    exit_code: int = 0


def run(
    folder: str,
    name: str,
    args: Sequence[str],
    updates: Iterable[str],
    *,
    progress: Progress = SILENT,
) -> HookResult:
    """Do what the hook `name` is for, in every project of the work tree around `folder`.

    `args` and `updates`, the lines on standard input, are what Git gave to the hook.

    Raises:
        DatavcError: for pre-push, why the push cannot go on.
    """
    git = Git(folder)
    if name == "pre-push":
        return _push(git, args[0] if args else "", list(updates), progress)
    return _follow(git, progress) if name in hooks.FOLLOWING else HookResult()


def _follow(git: Git, progress: Progress) -> HookResult:
    """Make data equal to the pointers that are other than when data last followed."""
    before, now = stamp.read(git), stamp.take(git)
    changed = None if before is None else before.changed(now)
    with suppress(OSError):  # what is read-only was not followed from either
        stamp.remove(git)  # if we are killed, the next hook looks at all pointers
    files, lines = 0, []
    for root in git.projects():
        try:
            done = _follow_in(Repo.open(root, PATIENCE), changed, progress)
        except DatavcError as error:
            lines.append(f"data did not follow Git: {error.message}")
            continue
        files += done.files
        lines += _left_undone(done)
    stamp.write(git, now)
    return HookResult(files, tuple(lines))


def _follow_in(repo: Repo, changed: Collection[str] | None, progress: Progress) -> CheckoutResult:
    """Check out the outputs of changed pointers, all if `changed` is None; clear gone ones."""
    outputs = inventory(repo).outputs
    if changed is None:
        return checkout(repo, list(outputs), CheckoutOptions(hook=True), progress=progress)
    prefix = repo.git.prefix
    mine = {paths.relative(path, prefix) for path in changed if paths.is_inside(path, prefix)}
    if not any(map(is_record, mine)):
        return CheckoutResult()
    targets = [
        path
        for path, output in outputs.items()
        if output.recorded_in in mine and not _has_followed(repo, output)
    ]
    return checkout(repo, targets, CheckoutOptions(hook=True), progress=progress)


def _has_followed(repo: Repo, output: TrackedOutput) -> bool:
    """Tell whether the data was this version already: what differs since is the user's doing.

    So it is after `datavc add` and `git commit`, which change Git's record of the pointer.
    """
    record = repo.placed.get(output.path)
    return record is not None and record.digest == output.digest and record.paths is None


def _left_undone(done: CheckoutResult) -> list[str]:
    lines = [f"{failure.path}: {failure.message}" for failure in done.failures]
    if done.missing:
        more = f" and {len(done.missing) - 1} more" if len(done.missing) > 1 else ""
        lines.append(
            f"{done.missing[0].path}{more}: not in the cache; `datavc pull` gets what is missing"
        )
    return lines


def _push(git: Git, remote: str, updates: Sequence[str], progress: Progress) -> HookResult:
    """Send the data of the commits that Git is about to push.

    A project without any remote keeps its data to itself, and says so.
    """
    from datavc.verbs.push import push

    files, lines, code = 0, [], 0
    for root in git.projects():
        repo = Repo.open(root, {})
        commits = repo.git.pushed_commits(updates, remote)
        if not commits:
            continue
        if not repo.config.remotes:
            lines.append(
                "the data of these commits stays here: no remote is set up "
                "(`datavc remote add -d NAME URL`)"
            )
            continue
        scope = RevisionScope(revs=tuple(commits))
        done = push(repo, (), SyncOptions(scope=scope, workspace=False), progress=progress)
        files += done.files
        lines += [f"{failure.path}: {failure.message}" for failure in done.failures]
        code = max(code, done.exit_code)
    return HookResult(files, tuple(lines), code)
