"""Settings: what cannot be used is refused in one sentence, and nothing is taken that no setting has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.config import load
from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_go_before_the_environment_and_that_before_the_file(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / "fairlead.toml").write_text('pg = "1.1.1.1:1"\nlog_level = "error"\n[worker]\nthreads = 7\n')
    monkeypatch.setenv("FAIRLEAD_PG", "2.2.2.2:2")
    assert load().pg == "2.2.2.2:2"
    assert load(pg="3.3.3.3:3").pg == "3.3.3.3:3"
    assert load().log_level == "error"
    assert load().worker.threads == 7


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("FAIRLEAD_WORKER_THREADS", "many", "threads"),
        ("FAIRLEAD_LAYER_FENCE", "maybe", "fence"),
        ("FAIRLEAD_EGRESS_ALLOW", "127.0.0.1", "JSON"),
        ("FAIRLEAD_WORKER_TREADS", "2", "FAIRLEAD_WORKER_TREADS"),
        ("FAIRLEAD_LAYER_NAMESPASE", "require", "FAIRLEAD_LAYER_NAMESPASE"),
    ],
)
def test_a_bad_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words):
        load()


@pytest.mark.parametrize("text", ["pg = ", "worker_treads = 3", "[worker]\ntreads = 3"])
def test_a_bad_file_is_refused(empty_folder: Path, text: str) -> None:
    (empty_folder / "fairlead.toml").write_text(text)
    with pytest.raises(ConfigurationError):
        load()


def test_a_secret_is_not_in_the_error(monkeypatch: pytest.MonkeyPatch, empty_folder: Path) -> None:
    (empty_folder / "fairlead.toml").write_text('admin_password = ["hunter2hunter2"]')
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert "hunter2" not in str(caught.value)
