"""Runs a command beside an S3 server that lives exactly as long: `with_s3.py COMMAND…`.

The command finds a bucket in S3_URL, the server in S3_ENDPOINT, and its keys where every S3 client
looks for them. Needs the top of the repository on PYTHONPATH: the server is that of the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import s3

BUCKET = "demo"


def main() -> int:
    """Start, run, end; return the command's exit code."""
    with tempfile.TemporaryDirectory(prefix="datavc-s3-", ignore_cleanup_errors=True) as folder:
        server = s3.start(Path(folder))
        try:
            server.make_bucket(BUCKET)
            found = {
                "S3_URL": f"s3://{BUCKET}/data",
                "S3_ENDPOINT": server.endpoint,
                "AWS_ACCESS_KEY_ID": server.key,
                "AWS_SECRET_ACCESS_KEY": server.secret,
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            return subprocess.run(sys.argv[1:], env=os.environ | found, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
