"""doctor: look for what is wrong in the set-up, and say the way out of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from datavc.core.digest import make
from datavc.core.errors import DatavcError, NotARepository
from datavc.repo import config_files, consent, hooks
from datavc.repo.config_keys import WITHOUT_EFFECT
from datavc.repo.repo import Repo
from datavc.verbs.health import Check, fail, ok, warn
from datavc.verbs.machine import cache_checks, link_checks, software_checks
from datavc.verbs.remains import remains_checks
from datavc.verbs.scanning import inventory
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import open_remote

SHOWN = 3
"""Names that one line lists."""


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """`cloud` asks the remotes; `fix` sweeps leftovers and brings stale hooks up to date."""

    cloud: bool = False
    fix: bool = False


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """One line a check."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """1 if something fails, else 0."""
        return int(any(check.state == "fail" for check in self.checks))


def doctor(
    start: str,
    overrides: Mapping[str, str],
    options: DoctorOptions = DoctorOptions(),
) -> DoctorResult:
    """Look at software, project, cache, hooks, remotes and leftovers.

    Changes nothing without `fix`, and is on the network with `cloud` alone.
    """
    checks = list(software_checks())
    try:
        repo = Repo.open(start, overrides)
    except NotARepository as error:
        return DoctorResult((*checks, fail("project", error.message, error.hint)))
    except DatavcError as error:
        return DoctorResult((*checks, fail("settings", error.message, error.hint)))
    checks.append(ok("project", repo.root))
    for name, look in _LOOKS.items():
        checks += _looked(name, look, repo, options)
    return DoctorResult(tuple(checks))


Look = Callable[[Repo, DoctorOptions], Iterator[Check]]


def _looked(name: str, look: Look, repo: Repo, options: DoctorOptions) -> list[Check]:
    """Return what one look finds; what it meets on its way is a finding as well."""
    found: list[Check] = []
    try:
        found.extend(look(repo, options))
    except DatavcError as error:
        found.append(fail(name, error.message, error.hint))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        found.append(fail(name, f"{where}{error.strerror}"))
    return found


def _settings(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    warnings = list(repo.config.warnings)
    for layer in config_files.layers(repo.layout, {}):
        idle = sorted(WITHOUT_EFFECT.keys() & layer.values.keys())
        warnings += [f"{layer.origin} sets {key}: {WITHOUT_EFFECT[key]}" for key in idle]
    yield from (warn("settings", warning) for warning in warnings)
    if not warnings:
        yield ok("settings", "every setting is known and counts")


def _hooks(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    status = hooks.status(repo.git)
    if options.fix and status.outdated:
        hooks.install(repo.git)
        status = hooks.status(repo.git)
    if status.outdated:
        yield warn(
            "hooks",
            f"{_some(status.outdated)} of another datavc in {status.folder}",
            "`datavc install` brings them up to date",
        )
    if status.missing:
        yield warn(
            "hooks",
            f"data does not follow Git: {_some(status.missing)} missing in {status.folder}",
            "`datavc install` puts them in",
        )
    if not (status.outdated or status.missing):
        chained = f"; {_some(status.chained)} call yours first" if status.chained else ""
        yield ok("hooks", f"in {status.folder}{chained}")
    if status.driver:
        yield ok("merge driver", "registered")
    else:
        yield warn(
            "merge driver",
            "not registered, so pointers merge as text",
            "`datavc install` registers it",
        )
    lacking = hooks.install(repo.git, dry_run=True).attributes
    if lacking:
        yield warn(
            "attributes",
            f"{hooks.ATTRIBUTES} lacks {_some(lacking)}",
            "`datavc install` adds it; commit the file",
        )
    else:
        yield ok("attributes", f"{hooks.ATTRIBUTES} names the merge driver")


def _pointers(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    known = inventory(repo)
    for error in known.broken.values():
        yield fail("pointers", error.message, error.hint or "mend or remove the file")
    if not known.broken:
        yield ok("pointers", f"{len(known.outputs):,} can be read")
    both = sorted(repo.git.tracked(list(known.outputs))) if known.outputs else []
    if both:
        yield warn(
            "git",
            f"{_some(both)} tracked by Git as well as by datavc",
            f"`git rm -r --cached {both[0]}` leaves it to datavc",
        )


def _remotes(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    for name, error in repo.config.unusable.items():
        yield fail(f"remote {name}", error.message, error.hint)
    if not repo.config.remotes:
        yield warn("remotes", "none", "`datavc remote add -d NAME URL` adds one")
    elif repo.config.core.remote is None:
        first = next(iter(repo.config.remotes))
        yield warn("remotes", "none is the default", f"`datavc remote default {first}` chooses")
    elif repo.config.core.remote not in (*repo.config.remotes, *repo.config.unusable):
        yield fail(
            "remotes",
            f"the default one, {repo.config.core.remote}, does not exist",
            "`datavc remote default NAME` chooses another",
        )
    for name, remote in repo.config.remotes.items():
        if not consent.is_agreed(repo.layout, remote):
            hint = f"`datavc remote trust {name}` agrees to it"
            yield warn(f"remote {name}", "came with the repository, not agreed to", hint)
        elif options.cloud:
            yield _reached(repo, name)
        else:
            yield ok(f"remote {name}", "agreed to; -c asks whether it answers")


def _reached(repo: Repo, name: str) -> Check:
    """Ask a remote for one object that nobody has."""
    nothing = make("blake3", "0" * 64)
    started = time.monotonic()
    try:
        open_remote(repo, name, SyncOptions()).store.missing([nothing])
    except DatavcError as error:
        return fail(f"remote {name}", error.message, error.hint)
    return ok(f"remote {name}", f"answers in {time.monotonic() - started:.1f} s")


def _remains(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    return remains_checks(repo, fix=options.fix)


def _cache(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    return cache_checks(repo)


def _links(repo: Repo, options: DoctorOptions) -> Iterator[Check]:
    return link_checks(repo)


_LOOKS: dict[str, Look] = {
    "settings": _settings,
    "cache": _cache,
    "links": _links,
    "hooks": _hooks,
    "pointers": _pointers,
    "remotes": _remotes,
    "leftovers": _remains,
}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
