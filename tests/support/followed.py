"""Followed: a repository whose hooks call a stand-in that notes what datavc would do."""

import sys

from datavc.repo import hooks, stamp
from datavc.repo.git import Git
from tests.support.repo import RepoBuilder

STAND_IN = """#!/bin/sh
# Stands for datavc: notes each start, and each time data would have to be brought.
log={log}
[ "$1" = hook ] || exit 1
echo "$*" >> "$log/started"
case $2 in pre-push) cat > "$log/pushed"; exit "$(cat "$log/push-code")";; esac
top=$(git rev-parse --show-toplevel) && cd "$top" && wanted=$(cat a.datavc 2>/dev/null)
unmerged=$(git ls-files -u -- a.datavc)
if [ -z "$unmerged" ] && [ "$wanted" != "$(cat "$log/data" 2>/dev/null)" ]; then
  echo "$wanted" >> "$log/brought"
  echo "$wanted" > "$log/data"
fi
git ls-files -z -s --debug -- '*.datavc' '*datavc.lock' > "$(git rev-parse --git-dir)/datavc-stamp"
unlike=$(git rev-parse --git-dir)/datavc-unlike
git diff-files -z --name-only -- '*.datavc' '*datavc.lock' > "$unlike"
[ -s "$unlike" ] || rm "$unlike"
"""


class Followed:
    """A repository with hooks that call a stand-in, and what the stand-in noted."""

    def __init__(self, folder, monkeypatch):
        self.log = folder / "log it"
        self.log.mkdir()
        self.bin = folder / "b'in"
        self.bin.mkdir()
        (self.bin / "python").symlink_to(sys.executable)
        self.program = self.bin / "datavc"
        self.program.write_text(STAND_IN.format(log=f"'{self.log}'"))
        self.program.chmod(0o755)
        (self.log / "push-code").write_text("0")
        monkeypatch.setattr(sys, "executable", str(self.bin / "python"))
        self.repo = RepoBuilder(folder / "work", init=False)
        self.git = self.repo.git
        self.git("init", "-q")
        self.repo.write(".datavc/config.toml", "")
        self.repo.write(".gitattributes", "".join(f"{line}\n" for line in hooks.MERGED))
        self.commit("v1")
        self.door = Git(str(self.repo.root))

    def commit(self, text, name="a.datavc"):
        self.repo.write(name, text + "\n")
        return self.repo.commit(text)

    def install(self):
        installed = hooks.install(self.door)
        stamp.write(self.door)
        self.forget()
        return installed

    def forget(self):
        for name in ("started", "brought"):
            (self.log / name).unlink(missing_ok=True)
        file = self.repo.root / "a.datavc"
        (self.log / "data").write_text(file.read_text() if file.exists() else "")

    def noted(self, name):
        file = self.log / name
        return file.read_text().splitlines() if file.exists() else []

    def hook(self, name):
        return self.repo.root / ".git" / "hooks" / name
