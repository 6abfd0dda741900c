"""The pictures in the README show what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pictures import PICTURES, Picture, described, played, without_figures

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_a_picture_is_what_its_session_looks_like_today(picture: Picture) -> None:
    shown = described(picture.file.read_text(encoding="utf-8"))
    assert without_figures(shown) == without_figures(played(picture).text)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_a_picture_stands_in_the_readme_and_loads_nothing(picture: Picture) -> None:
    assert f"(examples/{picture.file.name})" in README
    svg = picture.file.read_text(encoding="utf-8")
    assert not re.search(r"href|src=|url\(['\"]?http|@import", svg)
