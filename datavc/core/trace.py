"""Trace: why things are done, for whoever asked with `-v`."""

from __future__ import annotations

import sys


def trace(area: str, text: str, *values: object) -> None:
    """Log `text`, in which `%` stands for `values`, under the module's name `area`.

    Whoever listens has imported logging. If nobody did, nothing is imported for it: 4 ms.
    """
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger(area).debug(text, *values)
