"""Settings: which level wins, what is refused, what a clone may not say, how files change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datavc.core.errors import ConfigError, DatavcError, FormatError
from datavc.repo import config, config_files
from datavc.repo.config import Config
from datavc.repo.config_keys import KEYS, REMOTE_KEYS, read_value
from datavc.repo.layout import Layout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Return a project with no settings, whose user and machine have none either."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    root = tmp_path / "project"
    (root / ".datavc").mkdir(parents=True)
    return Layout(str(root))


def write(file: str, text: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(text)


def load(layout: Layout, **overrides: str) -> Config:
    return config.load(layout, {key.replace("__", "."): text for key, text in overrides.items()})


def refusal(layout: Layout) -> DatavcError:
    with pytest.raises(DatavcError) as caught:
        load(layout)
    return caught.value


def test_without_any_file_the_defaults_hold(project: Layout):
    found = load(project)

    assert found.core.digest == "blake3"
    assert found.core.lock_timeout_s == 60
    assert found.core.undo_days == 14
    assert found.cache.dir == project.default_cache
    assert found.cache.types == ("reflink", "copy")
    assert found.gc.grace_s == 86400
    assert found.warnings == ()


def test_later_levels_win(project: Layout, monkeypatch: pytest.MonkeyPatch):
    places = [config_files.system_file(), config_files.user_file()]
    places += [project.config, project.local_config]
    for number, file in enumerate(places, 1):
        write(file, f"[core]\njobs = {number}\n")

    seen = []
    for file in reversed(places):
        seen.append(load(project).core.jobs)
        os.unlink(file)

    assert seen == [4, 3, 2, 1]

    monkeypatch.setenv("DATAVC_CORE_JOBS", "5")
    assert load(project).core.jobs == 5
    assert load(project, core__jobs="6").core.jobs == 6


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("cache.type", "hardlink,symlink", ("hardlink", "symlink")),
        ("cache.type", "copy", ("copy",)),
        ("cache.shared", "group", True),
        ("cache.shared", "no", False),
        ("core.autostage", "YES", True),
        ("core.autostage", "0", False),
        ("gc.grace", "24h", 86400),
        ("gc.grace", "90", 90),
        ("core.lock_timeout", "1.5m", 90),
        ("remote.r.rate_limit", "20M", 20 << 20),
        ("remote.r.rate_limit", "1 GiB", 1 << 30),
    ],
)
def test_values_are_understood_as_users_type_them(name: str, written: str, value: object):
    assert read_value(name, written, "") == value


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("cache.type", "softlink"),
        ("cache.type", ","),
        ("core.autostage", "perhaps"),
        ("core.jobs", "0"),
        ("core.jobs", True),
        ("core.jobs", "٣"),
        ("core.jobs", "9" * 400),
        ("core.jobs", "9" * 10000),
        ("gc.grace", "soon"),
        ("gc.grace", []),
        ("core.remote", ""),
        ("core.remote", 3),
        ("core.digest", "md5"),
    ],
)
def test_wrong_values_are_refused_by_name(name: str, written: object):
    with pytest.raises(ConfigError, match=name):
        read_value(name, written, "")


def test_unknown_key_names_file_and_nearest(project: Layout):
    write(project.config, '[core]\nremot = "storage"\n')

    error = refusal(project)

    assert project.config in error.message
    assert "core.remot" in error.message
    assert "`core.remote`" in error.hint


def test_unknown_section_is_refused(project: Layout):
    write(project.config, "[cores]\njobs = 1\n")

    assert "[core]" in refusal(project).hint


def test_broken_toml_names_file_and_line(project: Layout):
    write(project.config, '[core]\nremote = "storage\n')

    error = refusal(project)

    assert isinstance(error, FormatError)
    assert f"{project.config}, line 2" in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"core = 1",
        b"remote = 1",
        b"[remote]\nname = 1",
        b"[remote.'a/b']\nurl = 'x'",
        b"[remote.'']\nurl = 'x'",
        b"x = " + b"[" * 100_000,
        b"[core]\njobs = " + b"9" * 10_000,
        b"[core]\nremote = 'a'\nremote = 'b'",
        b"<<<<<<< ours\n[core]\n=======\n>>>>>>> theirs\n",
        b"#" * (config_files.FILE_LIMIT + 1),
    ],
)
def test_hostile_files_get_one_sentence(project: Layout, data: bytes):
    Path(project.config).write_bytes(data)

    assert project.config in refusal(project).message or "setting" in refusal(project).message


def test_a_link_or_a_pipe_in_place_of_the_tracked_file_is_refused(project: Layout, tmp_path: Path):
    write(str(tmp_path / "elsewhere"), "[core]\njobs = 7\n")
    os.symlink(tmp_path / "elsewhere", project.config)

    assert "symbolic link" in refusal(project).message

    os.unlink(project.config)
    os.mkfifo(project.config)
    assert "not a file" in refusal(project).message


def test_tracked_config_cannot_lead_the_cache_outside(project: Layout, tmp_path: Path):
    for outside in (str(tmp_path / "out"), "../../out", "~/out", "../.git/objects"):
        write(project.config, f'[cache]\ndir = "{outside}"\n')

        found = load(project)

        assert found.cache.dir == project.default_cache
        assert "does not count" in found.warnings[0]


def test_tracked_cache_behind_a_link_to_the_outside_does_not_count(
    project: Layout, tmp_path: Path
):
    os.symlink(tmp_path, Path(project.root, "door"))
    write(project.config, '[cache]\ndir = "../door/cache"\n')

    assert load(project).cache.dir == project.default_cache


def test_cache_folder_is_relative_to_its_file_and_own_settings_may_lead_anywhere(
    project: Layout, tmp_path: Path
):
    write(project.config, '[cache]\ndir = "store"\n')
    assert load(project).cache.dir == os.path.join(project.folder, "store")

    write(project.local_config, f'[cache]\ndir = "{tmp_path}/shared"\n')
    assert load(project).cache.dir == f"{tmp_path}/shared"
    assert load(project).warnings == ()


def test_tracked_config_cannot_allow_protocols(project: Layout):
    write(project.config, '[core]\nprotocols = ["ftp"]\n')
    assert load(project).protocols == ()
    assert "core.protocols" in load(project).warnings[0]

    write(project.local_config, '[core]\nprotocols = ["ftp"]\n')
    assert load(project).protocols == ("ftp",)


@pytest.mark.parametrize(
    "option", ["profile", "secret_access_key", "credentialpath", "proxy", "ssl_verify", "keyfile"]
)
def test_tracked_credentials_make_a_remote_unusable_until_set_locally(
    project: Layout, option: str
):
    write(project.config, f'[remote.r]\nurl = "s3://b"\n{option} = "x"\n')

    with pytest.raises(ConfigError, match=option):
        load(project).remote("r")

    write(project.local_config, f'[remote.r]\n{option} = "mine"\n')
    assert load(project).remote("r").options == {option: "mine"}


def test_remote_is_merged_from_all_levels(project: Layout, monkeypatch: pytest.MonkeyPatch):
    write(
        project.config,
        '[core]\nremote = "r"\n[remote.r]\nurl = "s3://b/p"\nregion = "eu"\njobs = 4\n',
    )
    write(project.local_config, '[remote.r]\nprofile = "me"\n')
    monkeypatch.setenv("DATAVC_REMOTE_R_READ_TIMEOUT", "2m")

    found = load(project).remote()

    assert (found.name, found.url, found.jobs, found.read_timeout_s) == ("r", "s3://b/p", 4, 120)
    assert found.options == {"region": "eu", "profile": "me"}
    assert not found.trusted_level


def test_remote_of_ones_own_needs_no_consent(project: Layout, monkeypatch: pytest.MonkeyPatch):
    write(project.local_config, '[remote.l]\nurl = "s3://b"\n')
    write(config_files.user_file(), '[remote.u]\nurl = "s3://b"\n')
    monkeypatch.setenv("DATAVC_REMOTE_E_URL", "s3://b")

    remotes = load(project, remote__c__url="s3://b").remotes

    assert {name: remote.trusted_level for name, remote in remotes.items()} == {
        "l": True,
        "u": True,
        "e": True,
        "c": True,
    }


def test_folder_of_a_remote_is_relative_to_the_file(project: Layout):
    write(project.config, '[remote.r]\nurl = "../../backup"\n')

    assert load(project).remote("r").url == os.path.join(os.path.dirname(project.root), "backup")


def test_remote_may_stand_on_another(project: Layout):
    write(
        project.config,
        '[remote.base]\nurl = "s3://b/p"\nregion = "eu"\n'
        '[remote.top]\nurl = "remote://base/sub"\n[remote.far]\nurl = "remote://top/x"\n',
    )

    found = load(project)

    assert found.remote("top").url == "s3://b/p/sub"
    assert found.remote("far").url == "s3://b/p/sub/x"
    assert found.remote("far").options == {"region": "eu"}


def test_remote_that_stands_on_itself_or_nothing_is_refused_when_used(project: Layout):
    write(
        project.config,
        '[remote.a]\nurl = "remote://b"\n[remote.b]\nurl = "remote://a"\n'
        '[remote.c]\nurl = "remote://none"\n[remote.d]\njobs = 1\n',
    )

    for name in "abcd":
        with pytest.raises(ConfigError, match=f"remote {name} "):
            load(project).remote(name)


def test_asking_for_a_remote_that_is_not_there_leads_on(project: Layout):
    with pytest.raises(ConfigError, match="no remote is configured") as caught:
        load(project).remote()
    assert caught.value.hint == "`datavc remote add -d NAME URL` adds one"

    write(project.local_config, '[remote.storage]\nurl = "/x"\n')
    with pytest.raises(ConfigError) as caught:
        load(project).remote("storge")
    assert "`storage`" in caught.value.hint
    with pytest.raises(ConfigError, match="default"):
        load(project).remote()


def test_environment_names_the_longest_remote_it_can(
    project: Layout, monkeypatch: pytest.MonkeyPatch
):
    write(project.local_config, '[remote.a]\nurl="/1"\n[remote.a-b]\nurl="/2"\n')
    monkeypatch.setenv("DATAVC_REMOTE_A_B_JOBS", "3")
    monkeypatch.setenv("DATAVC_IN_HOOK", "1")

    remotes = load(project).remotes

    assert (remotes["a"].jobs, remotes["a-b"].jobs) == (None, 3)


def test_environment_that_says_nonsense_is_named(project: Layout, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATAVC_CORE_JOBBS", "3")

    assert "DATAVC_CORE_JOBBS" in refusal(project).message


def test_edit_keeps_comments_order_and_the_rest(project: Layout):
    text = '# mine\n[remote.r]\nurl = "s3://b" # bucket\n\n[core]\njobs = 2\n'
    write(project.config, text)

    config_files.edit(project.config, {"core.jobs": 3, "core.remote": "r"}, "project")

    assert Path(project.config).read_text() == text.replace("2", "3") + 'remote = "r"\n'


def test_taking_the_last_setting_out_takes_its_table_along(project: Layout):
    write(project.config, '[core]\njobs = 2\n[remote.r]\nurl = "s3://b"\n')

    config_files.edit(project.config, {"remote.r.url": None}, "project")

    assert Path(project.config).read_text() == "[core]\njobs = 2\n"


def test_private_files_are_for_their_user_alone(project: Layout):
    user = config_files.user_file()

    config_files.edit(project.local_config, {"remote.r.profile": "me"}, "local")
    config_files.edit(user, {"core.jobs": 2}, "user")

    assert os.stat(project.local_config).st_mode & 0o777 == 0o600
    assert os.stat(user).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(user)).st_mode & 0o777 == 0o700


def test_a_link_of_the_users_own_settings_stays_a_link(project: Layout, tmp_path: Path):
    write(str(tmp_path / "dotfiles" / "datavc.toml"), "[core]\njobs = 1\n")
    user = Path(config_files.user_file())
    user.parent.mkdir(parents=True)
    user.symlink_to(tmp_path / "dotfiles" / "datavc.toml")

    config_files.edit(str(user), {"core.jobs": 2}, "user")

    assert user.is_symlink()
    assert user.read_text() == "[core]\njobs = 2\n"


def test_broken_file_is_never_rewritten(project: Layout):
    write(project.config, "[core\n")

    with pytest.raises(FormatError):
        config_files.edit(project.config, {"core.jobs": 2}, "project")

    assert Path(project.config).read_text() == "[core\n"


def test_every_default_is_a_value_that_its_key_takes():
    for key in (*KEYS, *REMOTE_KEYS):
        if key.default not in (None, ()):
            written = ",".join(key.default) if isinstance(key.default, tuple) else key.default
            assert key.read(written) == key.default
        assert key.help.endswith(".") or "://" in key.help


def test_amounts_are_kept_as_they_were_typed_and_read_again(project: Layout):
    typed = config_files.stored("repro.resources", "gpu=2, mem=1G", "")

    config_files.edit(project.local_config, {"repro.resources": typed}, "local")

    assert load(project).repro.resources == (("gpu", 2.0), ("mem", 1 << 30))
