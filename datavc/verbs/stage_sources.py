"""Stage sources: tracked data that stages read, where it is not as its pointer records it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datavc.core import digest as digests
from datavc.core.errors import DatavcError
from datavc.core.lock import Locked
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.pipeline.sight import Sight
from datavc.repo.inventory import Inventory
from datavc.verbs.add_targets import Target
from datavc.verbs.recording import Annotations, Recorder


class StageSources:
    """The tracked data of one run; each is looked at once, when a stage that read it is done."""

    def __init__(self, data: Inventory, sight: Sight) -> None:
        """Look at nothing yet."""
        tracked = {path: output for path, output in data.outputs.items() if not output.stage}
        self._data = Inventory(tracked)
        self._sight = sight
        self._known: set[RepoPath] = set()

    def keep(self, deps: Iterable[Locked], recorder: Recorder) -> Iterator[str]:
        """Store what is edited of the data behind `deps`; yield a line for each.

        A lock that names it can be honoured later; the pointer is its user's to change.
        """
        for dep in deps:
            for output in self._behind(dep):
                if output.path in self._known:
                    continue
                self._known.add(output.path)
                try:
                    if self._is_edited(output, recorder):
                        yield (
                            f"{output.path} was used as it lies here, not as {output.recorded_in} "
                            f"records it; `datavc add {output.path}` records it"
                        )
                except DatavcError as error:
                    yield f"{output.path} was used as it lies here; {error.message}"

    def _behind(self, dep: Locked) -> Iterable[TrackedOutput]:
        """Return the data that `dep` is, lies in, or has inside."""
        around = self._data.containing(dep.path)
        if around is not None:
            return (around,)
        return self._data.below(dep.path) if dep.kind == "directory" else ()

    def _is_edited(self, output: TrackedOutput, recorder: Recorder) -> bool:
        """Tell whether data differs from its pointer, and if so store it; absent files do not."""
        seen = self._sight.look(output.path, digests.algorithm(output.digest))
        if seen is None or (seen.kind, seen.digest) == (output.pointer.kind, output.digest):
            return False
        return recorder.draft(Target(output.path, output), Annotations()).pointer.digest != (
            output.digest
        )
