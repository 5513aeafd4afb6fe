"""The check of files finds what it is for, and nothing else."""

from __future__ import annotations

import pytest

from tools import check_files


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(check_files, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Makefile", "pip install --index-url somewhere"),
        ("notes.md", "pip install --extra-index-url=somewhere"),
        ("requirements/dev.txt", "--find-links wheels"),
        ("requirements/dev.txt", "rope @ https://example.com/rope.whl"),
        ("src/a.py", "open('{root}/file')"),
    ],
)
def test_what_holds_on_one_machine_only_is_found(root, name, text):
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("first\n" + text.replace("{root}", str(root)) + "\n")
    (complaint,) = check_files.complaints(path)
    assert complaint.startswith(f"{name}:2: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "https://example.com/"),
        ("a.txt", "a --index of ropes"),
        ("requirements/dev.txt", "rope==1 --hash=1"),
    ],
)
def test_ordinary_text_is_left_alone(root, name, text):
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert check_files.complaints(path) == []


@pytest.mark.parametrize(("lines", "complaints"), [(500, 0), (501, 1)])
def test_a_module_of_more_than_500_lines_is_found(root, lines, complaints):
    path = root / "module.py"
    path.write_text("x = 1\n" * lines)
    assert len(check_files.complaints(path)) == complaints


def test_bytes_that_are_no_text_are_left_alone(root):
    path = root / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    assert check_files.complaints(path) == []
