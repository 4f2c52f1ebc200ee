"""Resources: what stages that run at the same time share. Numbers, and the indices of GPUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datavc.core.errors import ConfigError
from datavc.core.stage import Stage

GPU = "gpu"
Amounts = Sequence[tuple[str, float]]


class Resources:
    """How much there is of each; a pool that nobody named has one place: a mutual exclusion."""

    def __init__(self, capacity: Mapping[str, float]) -> None:
        """Share `capacity`: "cpu" and "gpu" in units, "mem" in bytes, and pools."""
        self._capacity = dict(capacity)
        self._used: dict[str, float] = {}
        self._taken: dict[str, tuple[Amounts, list[int]]] = {}
        self._gpus = list(range(int(capacity.get(GPU, 0))))

    def check(self, stage: Stage) -> None:
        """Refuse a stage that asks for more than there is.

        Raises:
            ConfigError: names the stage, and what it asks for.
        """
        for name, amount in stage.resources:
            there = self._of(name)
            if amount > there:
                raise ConfigError(
                    f"the stage {stage.address} needs {amount:g} of {name!r}, and there is "
                    f"{there:g}",
                    f"`datavc config --local repro.resources {name}={amount:g}` if there is more",
                )

    def fits(self, amounts: Amounts) -> bool:
        """Tell whether so much is free."""
        return all(self._used.get(name, 0) + much <= self._of(name) for name, much in amounts)

    def take(self, owner: str, amounts: Amounts) -> list[int]:
        """Take what `fits`; return the indices of the GPUs among it."""
        for name, much in amounts:
            self._used[name] = self._used.get(name, 0) + much
        wanted = int(dict(amounts).get(GPU, 0))
        given, self._gpus = self._gpus[:wanted], self._gpus[wanted:]
        self._taken[owner] = amounts, given
        return given

    def give_back(self, owner: str) -> None:
        """Free what `owner` took."""
        amounts, gpus = self._taken.pop(owner)
        for name, much in amounts:
            self._used[name] -= much
        self._gpus = sorted(self._gpus + gpus)

    def _of(self, name: str) -> float:
        return self._capacity.get(name, 0 if name == GPU else 1)
