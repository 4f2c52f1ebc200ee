"""Every error a user can meet.

    DatavcError              1   cannot be done, the user can mend it
    ├── NotARepository       1   no project here
    ├── PathError            1   a path that must not, or cannot, be used
    ├── FormatError          1   a file that does not parse
    ├── ConfigError          1   a setting that is wrong or missing
    ├── UnsavedChanges       1   work that is saved nowhere would be lost
    ├── UsageError           2   the command line is wrong
    ├── DataError            4   bytes are missing or damaged
    ├── BusyError            5   somebody else holds the lock
    └── RemoteError          6   a remote refused, or cannot be reached

The number is the exit code. 3 (partly done) and 7 (differences, with `--exit-code`) also come from
results, 130, 141 and 143 from signals and closed pipes, 255 from a bug.
The message says in one sentence what could not be done, and to which thing; the hint names the
command that helps.
"""

from __future__ import annotations


class DatavcError(Exception):
    """What the user asked for cannot be done, and they can do something about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep `message`, one sentence without a full stop, and `hint`, the way out."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotARepository(DatavcError):
    """No datavc project, or no Git repository, contains the folder."""


class PathError(DatavcError):
    """A path is hostile, outside the project, or names nothing."""


class FormatError(DatavcError):
    """A file (pointer, tree, config) is not what it must be; the message names file and line."""


class ConfigError(DatavcError):
    """A setting is unknown, malformed or missing."""


class UnsavedChanges(DatavcError):
    """Going on would destroy bytes that are saved nowhere."""


class UsageError(DatavcError):
    """The command line does not make sense."""

    exit_code = 2


class DataError(DatavcError):
    """Bytes that were asked for are missing or damaged."""

    exit_code = 4


class BusyError(DatavcError):
    """Another process holds what this one needs."""

    exit_code = 5


class RemoteError(DatavcError):
    """A remote refused or cannot be reached; `transient` if trying again may help."""

    exit_code = 6

    def __init__(self, message: str, hint: str = "", *, transient: bool = False) -> None:
        """Keep whether the same request may succeed a moment later."""
        super().__init__(message, hint)
        self.transient = transient
