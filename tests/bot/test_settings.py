from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.errors import SettingsError
from bot.schedule import checked
from bot.settings import Settings, environment_with, from_environment, inherited
from models.encoder import DEFAULT_ENCODER

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test starts in an empty folder with none of our variables."""
    for name in inherited(environment()):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def environment() -> list[str]:
    return [f"LABELWRIGHT_{name.upper()}" for name in (*Settings.model_fields, "config")]


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"LABELWRIGHT_{name.upper()}", value)


def problems() -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_anything_set_there_are_no_secrets_and_safe_defaults(tmp_path: Path) -> None:
    settings = Settings.load()
    assert settings.home == tmp_path / "var"
    assert settings.github_url == "https://api.github.com"
    assert (settings.intake, settings.port, settings.max_tokens) == ("webhook", 8080, 256)
    assert settings.seconds_between_writes == 1.0
    assert settings.secrets == settings.webhook_secrets == ()
    assert settings.private_key is None


def test_the_default_encoder_is_the_packaged_one() -> None:
    assert Settings.load().encoder == DEFAULT_ENCODER


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "var/labelwright.toml", 'port = 1\nhost = "0.0.0.0"\n')
    given(monkeypatch, port="2")
    settings = Settings.load()
    assert (settings.port, settings.host) == (2, "0.0.0.0")
    assert Settings.load(port=3).port == 3


def test_the_file_lies_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/labelwright.toml", "port = 1\n")
    given(monkeypatch, home=str(tmp_path / "elsewhere"))
    settings = Settings.load()
    assert settings.port == 1
    assert settings.database == tmp_path / "elsewhere" / "labelwright.db"


def test_another_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "etc/other.toml", f'home = "{tmp_path}/data"\n')
    given(monkeypatch, config=str(tmp_path / "etc/other.toml"))
    assert Settings.load().home == tmp_path / "data"


def test_a_named_file_that_is_absent_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, config="nope.toml")
    assert problems() == ("nope.toml: no such file, but LABELWRIGHT_CONFIG names it",)


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path / "var/labelwright.toml", "port = 1\nhost = \n")
    (problem,) = problems()
    assert "labelwright.toml: not valid TOML" in problem
    assert "line 2" in problem


def test_all_problems_are_reported_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "var/labelwright.toml", "prot = 1\n")
    given(monkeypatch, port="eighty", app_id="-1", intake="pol", private_key_file="nope.pem")
    given(monkeypatch, github_url="http://ghe.example.com/api/v3")
    found = "\n".join(problems())
    assert len(problems()) == 6
    for name in ("PORT", "APP_ID", "INTAKE", "PRIVATE_KEY_FILE", "GITHUB_URL"):
        assert f"LABELWRIGHT_{name}: " in found
    assert "prot in var/labelwright.toml is not a setting: did you mean port?" in found
    assert "not 'eighty' (set: port to listen on, 0 for a free one)" in found


def test_a_misspelled_variable_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELWRIGHT_WEBHOK_SECRET", "x")
    assert problems() == (
        "LABELWRIGHT_WEBHOK_SECRET is not a setting: did you mean LABELWRIGHT_WEBHOOK_SECRET?",
    )


def test_variables_of_others_with_our_prefix_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LABELWRIGHT_SERVICE_HOST", "10.0.0.1")  # Kubernetes writes such names
    Settings.load()


def test_settings_are_frozen() -> None:
    settings = Settings.load()
    with pytest.raises(ValidationError):
        settings.port = 1


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, webhook_secret="", port="")
    assert Settings.load().webhook_secrets == ()


def test_an_empty_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "var/labelwright.toml", 'webhook_secret = ""\n')
    (problem,) = problems()
    assert problem.startswith("LABELWRIGHT_WEBHOOK_SECRET: ")


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, webhook_secret="hunter2hunter2", private_key=KEY, app_id="7")
    settings = Settings.load()
    for text in (repr(settings), str(settings.model_dump()), repr(settings.require_app())):
        assert "hunter2" not in text
        assert "MIIB" not in text
    assert settings.secrets == ("hunter2hunter2", KEY)


@pytest.mark.parametrize("name", ["private_key", "private_key_file"])
def test_a_wrong_key_is_not_quoted(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wrong = "hunter2" if name == "private_key" else KEY
    given(monkeypatch, **{name: wrong})
    (problem,) = problems()
    assert "hunter2" not in problem
    assert "MIIB" not in problem


def test_the_key_comes_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "app.pem", KEY)
    given(monkeypatch, app_id="7", private_key_file=str(tmp_path / "app.pem"))
    credentials = Settings.load().require_app()
    assert (credentials.app_id, credentials.private_key) == (7, KEY)


def test_a_key_that_the_file_names_lies_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "etc/key.pem", KEY)
    write(tmp_path / "etc/l.toml", 'app_id = 7\nprivate_key_file = "key.pem"\n')
    given(monkeypatch, config=str(tmp_path / "etc/l.toml"))
    assert Settings.load().require_app().private_key == KEY


def test_a_child_gets_our_environment_and_what_is_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, port="9000", app_id="")
    child = environment_with({"database_identity": "x"})
    assert (child["LABELWRIGHT_PORT"], child["LABELWRIGHT_DATABASE_IDENTITY"]) == ("9000", "x")
    assert from_environment(["port", "app_id", "host"]) == {"port": "9000"}


def test_a_key_on_one_line_gets_its_line_ends_back(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, app_id="7", private_key=KEY.replace("\n", "\\n"))
    assert Settings.load().require_app().private_key == KEY


def test_a_key_and_a_key_file_are_one_too_many(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "app.pem", KEY)
    given(monkeypatch, private_key=KEY, private_key_file=str(tmp_path / "app.pem"))
    (problem,) = problems()
    assert "either this or LABELWRIGHT_PRIVATE_KEY_FILE" in problem


def test_a_file_that_holds_no_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "app.pem", "-----BEGIN CERTIFICATE-----")
    given(monkeypatch, private_key_file=str(tmp_path / "app.pem"))
    assert "does not hold a private key" in problems()[0]


def test_what_a_process_needs_is_listed_at_once() -> None:
    settings = Settings.load()
    settings.require()
    with pytest.raises(SettingsError) as caught:
        settings.require(app=True, webhook=True)
    text = str(caught.value)
    for name in ("APP_ID", "PRIVATE_KEY_FILE", "PRIVATE_KEY", "WEBHOOK_SECRET"):
        assert f"LABELWRIGHT_{name}" in text
    assert "labelwright setup" in text


def test_a_previous_secret_alone_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, webhook_secret_previous="old")
    with pytest.raises(SettingsError, match="LABELWRIGHT_WEBHOOK_SECRET: missing"):
        Settings.load().require(webhook=True)


def test_the_current_secret_comes_before_the_previous_one(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, webhook_secret="new", webhook_secret_previous="old")
    assert Settings.load().webhook_secrets == ("new", "old")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.github.com/", "https://api.github.com"),
        ("https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://localhost:4000/x", "http://localhost:4000/x"),
    ],
)
def test_the_api_of_github_in_all_its_editions(url: str, kept: str) -> None:
    assert Settings.load(github_url=url).github_url == kept


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("github.com", "like https://HOST/api/v3"),
        ("ftp://ghe.example.com/api/v3", "like https://HOST/api/v3"),
        ("http://ghe.example.com/api/v3", "must begin with https://"),
        ("https://ghe.example.com", "is at https://ghe.example.com/api/v3"),
        ("https://github.com", "is at https://api.github.com"),
    ],
)
def test_a_wrong_api_address_is_told_the_right_one(url: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=hint):
        Settings.load(github_url=url)


def test_accounts_are_a_list_in_both_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "var/labelwright.toml", 'allowed_accounts = ["octo", "cat"]\n')
    assert Settings.load().allowed_accounts == ("octo", "cat")
    given(monkeypatch, allowed_accounts="octo, dog,")
    assert Settings.load().allowed_accounts == ("octo", "dog")


def test_a_child_inherits_only_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, webhook_secret="new")
    monkeypatch.setenv("PATH", "/bin")
    assert inherited(["PATH", "NOT_SET_ANYWHERE"]) == {"PATH": "/bin"}


def test_every_setting_says_what_to_set() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_schedules_and_the_folder_of_backups_have_defaults(tmp_path: Path) -> None:
    settings = Settings.load()
    assert (settings.backup_schedule, settings.prune_schedule) == ("0 3 * * *", "30 3 * * *")
    assert settings.backups == tmp_path / "var" / "backups"
    assert Settings.load(backup_folder="aside").backups == tmp_path / "aside"


def test_the_schedules_that_are_the_default_can_be_followed() -> None:
    for name in ("backup_schedule", "prune_schedule"):
        text = Settings.model_fields[name].default
        assert checked(text) == text


def test_a_schedule_that_cannot_be_followed_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, backup_schedule="0 3 * * 0", prune_schedule="nightly")
    backup, prune = problems()
    assert backup.startswith("LABELWRIGHT_BACKUP_SCHEDULE: the day of the week must be a name")
    assert prune.startswith("LABELWRIGHT_PRUNE_SCHEDULE: could not convert")


def test_the_address_for_alarms_is_a_secret_and_may_be_of_our_own_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, alarm_url="http://10.0.0.7:9000/hook/s3cr3t", alarm_secret="hush-hush")
    settings = Settings.load()
    assert "s3cr3t" not in repr(settings) and "hush-hush" not in repr(settings)
    assert settings.secrets == ("http://10.0.0.7:9000/hook/s3cr3t", "hush-hush")


@pytest.mark.parametrize(
    "url",
    ["hooks.example.com", "ftp://x/y", "https://", "https://u:p@x/", "https://x/a b", "http://["],
)
def test_a_wrong_address_for_alarms_is_refused_in_words_of_our_own(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    given(monkeypatch, alarm_url=url)
    [problem] = problems()
    assert problem.startswith("LABELWRIGHT_ALARM_URL: must be like https://HOST/path (set: ")


def test_a_cluster_needs_an_address_and_a_storage(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABELWRIGHT_LAUNCHER", "ray")
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    said = "; ".join(refused.value.problems)
    for name in ("RAY_ADDRESS", "RAY_STORAGE"):
        assert f"LABELWRIGHT_{name}: missing, and LABELWRIGHT_LAUNCHER is ray" in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RAY_STORAGE", "s3://key:secret@bucket", "must hold no password"),
        ("RAY_STORAGE", "shared/folder", "must be like /mnt/shared"),
        ("RAY_ADDRESS", "gpu-host:8265", "must be like https://HOST/path"),
        ("RAY_RESOURCES", "A100", "must be like memory=16e9,A100=1"),
        ("RAY_RESOURCES", "A100=none", "must be like memory=16e9,A100=1"),
        ("RAY_WORKERS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_of_a_cluster_is_refused_and_no_secret_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
):
    monkeypatch.setenv(f"LABELWRIGHT_{name}", value)
    with pytest.raises(SettingsError, match=said) as refused:
        Settings.load()
    assert "secret@" not in str(refused.value)
