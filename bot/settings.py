"""Settings: environment variables LABELWRIGHT_* over a TOML file, read once, then frozen.

The file is the one that LABELWRIGHT_CONFIG names, or `labelwright.toml` in the home folder. This
module alone reads the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import SettingsError
from bot.setting_problems import Problems
from bot.setting_values import (
    GITHUB,
    Amounts,
    ApiUrl,
    AppKey,
    Folder,
    KeyFile,
    Names,
    Schedule,
    SecretUrl,
    StorageUrl,
    WebUrl,
    pem,
    text_of,
)

PREFIX = "LABELWRIGHT_"
FILE_NAME = "labelwright.toml"
DEFAULT_HOME = Path("var")
_OTHERS = ("alarm_url", "alarm_secret", "ray_token", "client_secret")
_SECRETS = ("private_key", "webhook_secret", "webhook_secret_previous", *_OTHERS, "ray_storage")


class Settings(BaseSettings):
    """Every setting; its description says what to set. Secrets have no default, print as stars."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, validate_default=True
    )

    home: Folder = Field(DEFAULT_HOME, description="folder on a local disk for all that is kept")
    app_id: int | None = Field(None, gt=0, description="number of the GitHub App")
    private_key_file: KeyFile | None = Field(None, description="file of the App's key (PEM)")
    private_key: SecretStr | None = Field(None, description="that key (PEM) itself, not a file")
    webhook_secret: SecretStr | None = Field(
        None, min_length=1, description="secret that the App's webhook is signed with"
    )
    webhook_secret_previous: SecretStr | None = Field(
        None, min_length=1, description="the secret before, accepted while it is being changed"
    )
    client_id: str | None = Field(None, description="the App's client id, for people to sign in")
    client_secret: SecretStr | None = Field(None, description="the secret of the client id")
    public_url: WebUrl | None = Field(None, description="where the console is, https://HOST")
    operators: Names = Field((), description="logins that may do everything, comma-separated")
    github_url: ApiUrl = Field(
        GITHUB, description="base URL of the API; for Enterprise Server https://HOST/api/v3"
    )
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on, 0 for a free one")
    intake: Literal["webhook", "poll"] = Field(
        "webhook", description="webhook (GitHub calls us) or poll (we ask GitHub)"
    )
    poll_seconds: float = Field(30, ge=1, description="seconds between two polls")
    pull_requests: bool = Field(
        False, description="ask for tokens that may label pull requests; the App must allow it"
    )
    allowed_accounts: Names = Field(
        (), description="accounts that may install the App, comma-separated; empty for all"
    )
    encoder: str = Field(
        "all-MiniLM-L6-v2",
        min_length=1,
        description="the packaged encoder, a Hugging Face id, or a folder",
    )
    private_text_in_encoder: bool = Field(
        False, description="let text of private repositories train the encoder that all share"
    )
    max_tokens: int = Field(256, ge=16, le=8192, description="tokens of an issue that are read")
    threads: int | None = Field(
        None, ge=1, description="CPU threads for encoding and training; unset for torch's choice"
    )
    seconds_between_writes: float = Field(
        1.0, ge=0, description="pause between two writes to GitHub, which recommends 1"
    )
    writes_per_minute: int = Field(60, ge=1, description="most writes a minute per installation")
    writes_per_hour: int = Field(450, ge=1, description="most writes an hour per installation")
    lease_seconds: float = Field(
        60, ge=1, description="seconds after which a silent worker's job is given to another"
    )
    training_timeout_seconds: float = Field(
        3600, gt=0, description="seconds after which a training is stopped"
    )
    launcher: Literal["local", "ray"] = Field(
        "local", description="where encoders are trained: local (here) or ray (a Ray cluster)"
    )
    ray_address: WebUrl | None = Field(
        None, description="URL of the cluster's dashboard, like http://HOST:8265"
    )
    ray_storage: StorageUrl | None = Field(
        None, description="storage of both: a shared folder, s3://BUCKET/FOLDER or gs://..."
    )
    ray_token: SecretStr | None = Field(
        None, min_length=1, description="token of a cluster with RAY_AUTH_MODE=token"
    )
    ray_workers: int = Field(1, ge=1, description="workers of a training on the cluster")
    ray_cpus: float = Field(1, gt=0, description="CPUs for each worker")
    ray_gpus: float = Field(1, ge=0, description="GPUs for each worker, Ray's num_gpus")
    ray_resources: Amounts = Field(
        (), description="what else each worker needs, like memory=16e9,A100=1"
    )
    backup_schedule: Schedule = Field(
        "0 3 * * *",
        validate_default=False,
        description="when the database is backed up: cron in UTC, seconds between two, or never",
    )
    backup_folder: Folder | None = Field(
        None, description="folder for backups of the database; unset for `backups` in the home"
    )
    keep_backups: int = Field(7, ge=1, description="backups that are kept, the newest ones")
    prune_schedule: Schedule = Field(
        "30 3 * * *",
        validate_default=False,
        description="when what nothing needs is removed: cron in UTC, seconds, or never",
    )
    keep_jobs_days: int = Field(
        7, ge=4, description="days for which done jobs and webhook deliveries are kept"
    )
    keep_reasons_days: int = Field(
        180, ge=30, description="days for which the reasons of every decision are kept"
    )
    keep_runs_days: int = Field(
        14, ge=1, description="days for which runs of trainings and their logs are kept"
    )
    keep_models: int = Field(10, ge=2, description="versions of each repository's model to keep")
    keep_encoders: int = Field(3, ge=2, description="versions of the adapted encoder to keep")
    adapt_schedule: Schedule = Field(
        "0 1 * * *",
        validate_default=False,
        description="when adapting the encoder is considered: cron in UTC, seconds, or never",
    )
    adapt_after_issues: int = Field(
        1000, ge=1, description="new issues, of all repositories, that an adaptation waits for"
    )
    adapt_after_share: float = Field(
        0.2, ge=0, le=1, description="share of all issues that must be new for it as well"
    )
    forget_after_days: int = Field(
        30,
        ge=0,
        description="days from an uninstallation until a repository is forgotten, 0: never",
    )
    actor_cap: int = Field(
        100, ge=0, description="label events of one person that count in a window, 0: no cap"
    )
    actor_cap_window: float = Field(
        86_400, gt=0, description="seconds of that window: who says more in it is not heard"
    )
    alarm_url: SecretUrl | None = Field(
        None, description="URL that is told of alarms raised and cleared, by POST of JSON"
    )
    alarm_secret: SecretStr | None = Field(
        None, min_length=1, description="secret that what is sent there is signed with"
    )
    alarm_quiet_hours: float = Field(
        2, gt=0, description="hours without a webhook, though issues were opened, until an alarm"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="json, console, or auto (console on a terminal)"
    )
    database_identity: str | None = Field(
        None, min_length=1, description="the database that must be found; `serve` hands it on"
    )

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Read everything once; `given` wins over the environment, and that over the file.

        Raises SettingsError, which lists every problem by the setting's name.
        """
        problems = _problems().misspelled(os.environ)
        try:
            settings = cls(**given)
        except (tomllib.TOMLDecodeError, OSError, ValidationError) as error:
            found = _problems().found(error, config_path())
            # `from None`: pydantic's own text may quote a secret.
            raise SettingsError([*problems, *found]) from None
        if problems:
            raise SettingsError(problems)
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """First what is given in code, then the environment, then the file."""
        file = _File(settings_cls, toml_file=config_file())
        return init_settings, env_settings, file

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.home / "labelwright.db"

    @property
    def models(self) -> Path:
        """The folder of published models."""
        return self.home / "models"

    @property
    def encoders(self) -> Path:
        """The folder of published encoder versions."""
        return self.home / "encoders"

    @property
    def runs(self) -> Path:
        """The folder of snapshots and of trainings under way."""
        return self.home / "runs"

    @property
    def backups(self) -> Path:
        """The folder of the database's backups."""
        return self.backup_folder or self.home / "backups"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that a delivery may be signed with, the current one first; empty if unset."""
        both = (self.webhook_secret, self.webhook_secret_previous)
        return tuple(secret.get_secret_value() for secret in both if secret is not None)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the log to leave out."""
        found = (getattr(self, name) for name in ("private_key", *_OTHERS))
        return self.webhook_secrets + tuple(x.get_secret_value() for x in found if x is not None)

    def missing(self, *, app: bool = False, webhook: bool = False) -> list[str]:
        """A line for each setting that a process needs and that is not there."""
        wanted: list[str] = []
        if app and self.app_id is None:
            wanted.append(_problems().say("app_id", "missing"))
        if app and self.private_key is None:
            wanted.append(
                _problems().say("private_key_file", f"missing, and so is {PREFIX}PRIVATE_KEY")
            )
        if webhook and self.webhook_secret is None:
            wanted.append(_problems().say("webhook_secret", "missing"))
        return wanted

    def require(self, *, app: bool = False, webhook: bool = False) -> None:
        """Raise SettingsError that lists all that is missing for a process of this kind."""
        lacking = self.missing(app=app, webhook=webhook)
        if lacking:
            raise SettingsError([*lacking, "`labelwright setup` asks for them and writes the file"])

    def require_app(self) -> AppKey:
        """The App's id and key. Raises SettingsError that lists what is missing."""
        self.require(app=True)
        assert self.app_id is not None and self.private_key is not None
        return AppKey(self.app_id, self.private_key.get_secret_value())

    @field_validator("ray_address", "ray_storage")
    @classmethod
    def _there(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None and info.data.get("launcher") == "ray":
            raise ValueError(f"missing, and {PREFIX}LAUNCHER is ray")
        return url

    @field_validator("private_key")
    @classmethod
    def _key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """The key, from its file where one is named: afterwards `private_key` always has it."""
        path: Path | None = info.data.get("private_key_file")
        if key is None:
            return None if path is None else SecretStr(pem(text_of(path.expanduser())))
        if path is not None:
            raise ValueError(f"set either this or {PREFIX}PRIVATE_KEY_FILE, not both")
        return SecretStr(pem(key.get_secret_value()))


class _File(TomlConfigSettingsSource):
    """The TOML file. The key that it names lies beside it, wherever the server is started."""

    def __call__(self) -> dict[str, Any]:
        given = super().__call__()
        key = given.get("private_key_file")
        if isinstance(key, str):
            given["private_key_file"] = str(config_file().parent / Path(key).expanduser())
        return given


def config_path() -> Path:
    """Where the TOML file belongs, whether it exists or not."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    home = os.environ.get(f"{PREFIX}HOME") or DEFAULT_HOME
    return Path(named) if named else Path(home).expanduser() / FILE_NAME


def config_file() -> Path:
    """The TOML file that is read; the one in the home folder need not exist.

    Raises OSError where LABELWRIGHT_CONFIG names a file that does not exist.
    """
    path = config_path()
    if os.environ.get(f"{PREFIX}CONFIG") and not path.is_file():
        raise FileNotFoundError(2, f"no such file, but {PREFIX}CONFIG names it", str(path))
    return path


def inherited(names: Iterable[str]) -> dict[str, str]:
    """The named variables of our own environment that are set: all that a child process gets."""
    return {name: os.environ[name] for name in names if name in os.environ}


def from_environment(names: Iterable[str]) -> dict[str, str]:
    """The settings among `names` that the environment gives, which wins over the file."""
    given = {name: os.environ.get(f"{PREFIX}{name.upper()}", "") for name in names}
    return {name: value for name, value in given.items() if value}


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """Our own environment with these settings in it: for a process of the same server."""
    return {**os.environ, **{f"{PREFIX}{name.upper()}": v for name, v in settings.items()}}


def _problems() -> Problems:
    meanings = {name: field.description or "" for name, field in Settings.model_fields.items()}
    return Problems(PREFIX, meanings, _SECRETS)
