"""Settings: flags over ``FAIRLEAD_*`` variables over ``fairlead.toml``."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from fairlead.errors import ConfigurationError
from fairlead.suggest import did_you_mean

LayerMode = Literal["auto", "off", "require"]


class Layers(BaseSettings):
    """How each protective layer of a worker is used.

    ``auto`` uses the layer where the machine allows it and warns where it does not; ``require`` refuses to start
    without it; ``off`` is for tests and for machines that cannot.
    """

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_LAYER_", extra="forbid")

    namespace: LayerMode = "auto"
    landlock: LayerMode = "auto"
    limits: LayerMode = "auto"
    fence: LayerMode = "auto"
    statements: LayerMode = "auto"


class EgressSettings(BaseSettings):
    """Where connections may lead. Entries are host names, ``*.suffix`` patterns, addresses or networks."""

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_EGRESS_", extra="forbid")

    allow: list[str] = Field(default_factory=list, description="if not empty, nothing else can be reached")
    deny: list[str] = Field(default_factory=list, description="refused beside the addresses that always are")
    connect_timeout: float = Field(10.0, gt=0, description="seconds")
    request_timeout: float = Field(300.0, gt=0, description="seconds")


class WorkerSettings(BaseSettings):
    """Limits of one session's worker process."""

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_WORKER_", extra="forbid")

    memory_limit_mb: int = Field(2048, ge=256, description="memory of the engine, MiB")
    address_space_mb: int = Field(4096, ge=1024, description="RLIMIT_AS, MiB")
    threads: int = Field(3, ge=1, le=64, description="more than cores, because some of them wait for the store")
    spill_limit_mb: int = Field(4096, ge=0, description="spill folder, MiB; 0 = no spilling")
    cpu_seconds: int = Field(0, ge=0, description="RLIMIT_CPU of one worker; 0 = none")
    spare: int = Field(2, ge=0, description="blank workers kept ready")
    cancel_grace: float = Field(1.0, gt=0, description="seconds between interrupt and kill")
    max_sessions: int = Field(500, ge=1)
    max_sessions_per_user: int = Field(0, ge=0, description="0 = no limit; superusers have none")


class CareSettings(BaseSettings):
    """What is done in the background for the lakes of tables, and when."""

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_CARE_", extra="forbid")

    interval: float = Field(60.0, ge=0, description="seconds between rounds; 0 = only VACUUM")
    inlined_rows: int = Field(1000, ge=1, description="rows of a table in the metadata, above which they become a file")
    small_files: int = Field(16, ge=2, description="files of a table of about one size, above which they are merged")
    deleted_share: float = Field(0.3, gt=0, le=1, description="of a file's rows, above which it is written anew")
    snapshot_hours: float = Field(168.0, ge=0, description="for which time travel is kept")
    grace: float = Field(3600.0, ge=0, description="seconds before files that are not needed any more are deleted")


class HttpSettings(BaseSettings):
    """The HTTP listener."""

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_HTTP_", extra="forbid")

    tls: bool = Field(default=True, description="false only on a loopback address: passwords come in clear")
    metrics_token: SecretStr | None = Field(None, description="opens /metrics to others than this machine")
    body_limit_mb: int = Field(16, ge=1, description="of one request, MiB")
    read_timeout: float = Field(10.0, gt=0, description="seconds for a handshake, for a head, and between two pieces")
    write_timeout: float = Field(300.0, gt=0, description="seconds that a client may leave an answer unread")
    session_idle: float = Field(300.0, gt=0, description="seconds until a kept session ends")


class Settings(BaseSettings):
    """All settings of one gateway."""

    model_config = SettingsConfigDict(
        env_prefix="FAIRLEAD_", toml_file="fairlead.toml", env_nested_delimiter="__", extra="forbid"
    )

    data: Path = Path("fairlead-data")
    pg: str = "127.0.0.1:7432"
    flight: str = Field("", description="HOST:PORT for Arrow Flight SQL clients; empty = off")
    flight_idle_timeout: float = Field(1800.0, gt=0, description="seconds of silence, after which a session ends")
    http: str = Field("127.0.0.1:7433", description="empty: no HTTP listener")
    mysql: str = Field("", description="HOST:PORT for MySQL clients; empty = off")
    admin_password: SecretStr | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    require_tls: bool = False
    tls_client_ca: Path | None = Field(None, description="PEM file of an authority")
    certificate_users: list[str] = Field(default_factory=list, description="with tls_client_ca; empty = every user")
    drain_seconds: float = Field(5.0, ge=0, description="for statements that run when the gateway is told to stop")
    statement_timeout: float = Field(0.0, ge=0, description="seconds; 0 = none")
    share_connections: bool = Field(default=True, description="dialect clickzetta: USAGE to every user at CREATE")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, else JSON lines")
    layers: Layers = Field(default_factory=Layers)
    egress: EgressSettings = Field(default_factory=EgressSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    care: CareSettings = Field(default_factory=CareSettings)
    http_listener: HttpSettings = Field(default_factory=HttpSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # part of the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # part of the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: flags, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


_PREFIX = "FAIRLEAD_"
_OF_THE_TESTS = ("FAIRLEAD_TEST_", "FAIRLEAD_REQUIRE_SERVICES")


def load(**flags: Any) -> Settings:
    """Read the settings.

    Args:
        flags: from the command line; they go before everything else.

    Raises:
        ConfigurationError: a value that a setting cannot have, or a name that no setting has. Values are not shown.
    """
    _refuse_unknown_variables()
    try:
        return Settings(**flags)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
    except SettingsError as error:
        told = f'{error} (lists are written as JSON: ["10.0.0.0/8"])'
    except tomllib.TOMLDecodeError as error:
        told = f"fairlead.toml is not TOML: {error}"
    message = f"a setting cannot be used: {told}"
    raise ConfigurationError(message, hint="docs/operation.md lists the settings") from None


def _refuse_unknown_variables() -> None:
    """A misspelt variable would leave a protection off without a word."""
    known = {f"{_PREFIX}{name}".upper() for name in Settings.model_fields}
    for group in (Layers, EgressSettings, WorkerSettings, CareSettings, HttpSettings):
        known |= {f"{group.model_config.get('env_prefix', '')}{name}".upper() for name in group.model_fields}
    for name in os.environ:
        if not name.startswith(_PREFIX) or name.startswith(_OF_THE_TESTS) or "__" in name:
            continue
        if name not in known:
            message = f"there is no setting {name}"
            raise ConfigurationError(message, hint=did_you_mean(name, known) or "docs/operation.md lists the settings")
