"""Work: a project whose verbs are called in this process; Git is real, its hooks stay away."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import blake3

from datavc.cli.render import as_json
from datavc.core import digest as digests
from datavc.repo.repo import Repo
from datavc.verbs.add import AddOptions, AddResult, add
from datavc.verbs.checkout import CheckoutOptions, CheckoutResult, checkout
from datavc.verbs.diff import DiffOptions, diff
from datavc.verbs.fetch import fetch
from datavc.verbs.init import InitOptions, init
from datavc.verbs.pull import PullResult, pull
from datavc.verbs.push import push
from datavc.verbs.status import StatusOptions, status
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import SyncResult
from tests.support.repo import Completed, RepoBuilder

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


class Work:
    """A project at `root`; each verb opens the repository anew, as a command would."""

    def __init__(self, root: Path, *, fresh: bool = True) -> None:
        """With `fresh`, make the Git repository and the project."""
        self.root = root
        self.builder = RepoBuilder(root, init=False)
        self.write, self.read, self.tree = self.builder.write, self.builder.read, self.builder.tree
        self.settings: dict[str, str] = {}
        if fresh:
            self.git("init", "-q", "-b", "main")
            init(str(root), InitOptions())

    def git(self, *arguments: str, check: bool = True) -> Completed:
        """Run Git without hooks."""
        return self.builder.git(*NO_HOOKS, *arguments, check=check)

    def repo(self, here: str = "") -> Repo:
        """Open the project as from its folder `here`."""
        return Repo.open(str(self.root / here), self.settings)

    def add(self, *targets: str, **options: object) -> AddResult:
        return add(self.repo(), targets, AddOptions(**options))  # type: ignore[arg-type]

    def checkout(self, *targets: str, **options: object) -> CheckoutResult:
        return checkout(self.repo(), targets, CheckoutOptions(**options))  # type: ignore[arg-type]

    def status(self, *targets: str, **options: object) -> dict[str, object]:
        """Return what `status --json` prints."""
        found = status(self.repo(), targets, StatusOptions(**options))  # type: ignore[arg-type]
        return as_json(found)  # type: ignore[return-value]

    def warnings(self) -> list[str]:
        """Return what `status` warns of."""
        return status(self.repo()).warnings

    def diff(
        self, old: str | None = None, new: str | None = None, *targets: str
    ) -> dict[str, object]:
        """Return what `diff --json` prints."""
        return as_json(diff(self.repo(), DiffOptions(old, new, targets)))  # type: ignore[return-value]

    def push(self, *targets: str, **options: object) -> SyncResult:
        return push(self.repo(), targets, SyncOptions(**options))  # type: ignore[arg-type]

    def fetch(self, *targets: str, **options: object) -> SyncResult:
        return fetch(self.repo(), targets, SyncOptions(**options))  # type: ignore[arg-type]

    def pull(
        self, *targets: str, into: CheckoutOptions | None = None, **options: object
    ) -> PullResult:
        sync = SyncOptions(**options)  # type: ignore[arg-type]
        return pull(self.repo(), targets, sync, into or CheckoutOptions())

    def lay(self, files: Mapping[str, bytes | str]) -> None:
        """Write files, path → content."""
        for path, content in files.items():
            self.write(path, content)

    def version(self, files: Mapping[str, bytes | str], name: str) -> None:
        """Write `files`, add their top folders, commit and tag as `name`."""
        self.lay(files)
        self.add(*sorted({path.split("/")[0] for path in files}))
        self.commit(name)

    def commit(self, name: str) -> str:
        """Commit all that Git sees, tagged `name`; return the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", name)
        self.git("tag", "-f", name)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def remote(self, folder: Path, name: str = "r", *, default: bool = True) -> Path:
        """Set up a folder as a remote, in the user's own settings of this project."""
        lines = [f'[remote.{name}]\nurl = "{folder}"\n']
        if default:
            lines.insert(0, f'[core]\nremote = "{name}"\n')
        with open(self.root / ".datavc/config.local.toml", "a", encoding="utf-8") as settings:
            settings.write("".join(lines))
        return folder

    def clone(self, where: Path) -> Work:
        """Return a Git clone, with nothing fetched and this project's own remotes."""
        self.builder.clone(where)
        clone = Work(where, fresh=False)
        local = self.root / ".datavc/config.local.toml"
        if local.exists():
            shutil.copy(local, where / ".datavc/config.local.toml")
        return clone

    def remove(self, *paths: str) -> None:
        """Remove files or folders."""
        for path in paths:
            full = self.root / path
            shutil.rmtree(full) if full.is_dir() and not full.is_symlink() else full.unlink()

    def digest(self, content: bytes) -> digests.Digest:
        """Return the name of these bytes."""
        return digests.make("blake3", blake3.blake3(content).hexdigest())

    def object(self, content: bytes) -> Path:
        """Return where the cache keeps these bytes."""
        return Path(self.repo().objects.path(self.digest(content)))

    def pointed(self, pointer: str) -> digests.Digest:
        """Return the digest that a pointer file names."""
        lines = self.read(pointer).decode().splitlines()
        return digests.parse(next(x.split(": ")[1] for x in lines if x.startswith("digest: ")))

    def lose(self, *digests_: digests.Digest) -> None:
        """Take objects out of the cache; all of them if none are named."""
        if not digests_:
            shutil.rmtree(self.root / ".datavc/cache/objects")
        for digest in digests_:
            os.unlink(self.repo().objects.path(digest))
