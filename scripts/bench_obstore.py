"""Sends files to S3, or gets them, by bare obstore with the requests that datavc makes.

`bench_obstore.py put PATH` stores a file, or all files of a folder, one object each;
`bench_obstore.py get FOLDER` writes what was stored into a new folder. The bucket `bench`, the
server's address and its keys come from the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from obstore.store import S3Store

from datavc.remote.backend import PART, PARTS_AT_ONCE, SMALL
from datavc.remote.store import DEFAULT_JOBS

BUCKET = "bench"


def connect() -> S3Store:
    """Return the bucket, below the prefix of this part of the benchmark."""
    return S3Store(
        BUCKET,
        prefix=f"obstore-{os.environ['PART']}",
        endpoint=os.environ["S3_ENDPOINT"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def put(store: S3Store, top: Path, file: Path) -> None:
    """Store a file in one request, a large one in parts."""
    store.put(
        os.path.relpath(file, top.parent),
        file,
        use_multipart=file.stat().st_size > SMALL,
        chunk_size=PART,
        max_concurrency=PARTS_AT_ONCE,
    )


def get(store: S3Store, folder: Path, name: str, size: int) -> None:
    """Write an object to its file, a large one by ranges, a few at once."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if size <= SMALL:
        file.write_bytes(memoryview(store.get(name).bytes()))
        return

    def write(start: int) -> None:
        length = min(PART, size - start)
        os.pwrite(out, memoryview(store.get_range(name, start=start, length=length)), start)

    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        for _ in pool.map(write, range(0, size, PART)):
            pass
    os.close(out)


def jobs(store: S3Store, what: str, path: Path) -> Iterator[Callable[[], None]]:
    """Yield one call for each object."""
    if what == "put":
        files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
        yield from (partial(put, store, path, file) for file in files)
    else:
        for page in store.list():
            yield from (partial(get, store, path, each["path"], each["size"]) for each in page)


def main(what: str, path: Path) -> None:
    """Do all of it."""
    with ThreadPoolExecutor(DEFAULT_JOBS) as pool:
        for done in [pool.submit(job) for job in jobs(connect(), what, path.resolve())]:
            done.result()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
