"""The site's key: made once, for its owner only, and pseudonyms that stay the same while it does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recorder.pseudonym import KeyUnusable, kept_key, keyed


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonym.key"

    first, second = kept_key(path), kept_key(path)

    assert first == second
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["pseudonym.key"]


def test_programs_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as several:
        keys = set(several.map(lambda _: kept_key(tmp_path / "key"), range(8)))

    assert len(keys) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    kept_key(path)
    path.chmod(0o644)

    with pytest.raises(KeyUnusable, match="chmod 600"):
        kept_key(path)


@pytest.mark.parametrize("content", ["", "abcd", "no key at all", "\xff"])
def test_a_file_that_holds_no_key_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(content, encoding="latin-1")

    with pytest.raises(KeyUnusable):
        kept_key(path)

    assert path.read_text(encoding="latin-1") == content


def test_a_pseudonym_is_the_same_with_the_same_key_and_another_with_another() -> None:
    here, there = b"a" * 32, b"b" * 32

    assert keyed(here, "P", "K7") == keyed(here, "P", "K7")
    assert len({keyed(here, "P", "K7"), keyed(there, "P", "K7"), keyed(here, "P", "K8"), keyed(here, "S", "K7")}) == 4
