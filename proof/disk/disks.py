"""Real disks for a proof, where this user may mount one: small ones, one that freezes, one that is pulled out."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

WITHIN_S: Final = 20
ROOM_MB: Final = 400  # a start asks for 200


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=WITHIN_S)


@cache
def may_mount() -> bool:
    """Whether this user may; tried once."""
    if os.geteuid() != 0:
        return False
    with (
        TemporaryDirectory() as folder,
        suppress(OSError, subprocess.SubprocessError),
        mounted(Path(folder)),
    ):
        return True
    return False


@contextmanager
def mounted(folder: Path, mb: int = ROOM_MB) -> Iterator[None]:
    """A disk of that size, in memory."""
    _run("mount", "-t", "tmpfs", "-o", f"size={mb}m", "tmpfs", str(folder))
    try:
        yield
    finally:
        with suppress(subprocess.SubprocessError):  # it was pulled out
            _run("umount", "--lazy", str(folder))


def bind(folder: Path, place: Path) -> None:
    """The same disk at another place too."""
    _run("mount", "--bind", str(folder), str(place))


def fill(folder: Path) -> None:
    """The disk is no larger than what is on it."""
    used = shutil.disk_usage(folder).used
    _run("mount", "-o", f"remount,size={used}", str(folder))


def enlarge(folder: Path) -> None:
    _run("mount", "-o", f"remount,size={ROOM_MB}m", str(folder))


def set_read_only(folder: Path, read_only: bool) -> None:
    """By mount where that is a disk of its own; else by its mode, which binds everybody but root."""
    if may_mount():
        _run("mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(folder))
    else:
        folder.chmod(0o500 if read_only else 0o700)


def pull_out(folder: Path) -> None:
    """What is open stays open; nobody finds it by its name any more."""
    if may_mount():
        _run("umount", "--lazy", str(folder))
    else:
        folder.rename(folder.with_name(folder.name + ".pulled-out"))
        folder.mkdir()


@cache
def may_freeze() -> bool:
    """Whether a file system can be made and frozen here."""
    return may_mount() and all(map(shutil.which, ("mkfs.ext4", "fsfreeze", "losetup"))) and Path("/dev/loop0").exists()


@contextmanager
def freezing(folder: Path, scratch: Path) -> Iterator[None]:
    """An ext4 disk in a file of `scratch`; afterwards it is thawed and gone."""
    image = scratch / "disk.img"
    with image.open("wb") as file:
        file.truncate(ROOM_MB << 20)
    _run("mkfs.ext4", "-q", str(image))
    _run("mount", "-o", "loop", str(image), str(folder))
    try:
        yield
    finally:
        with suppress(subprocess.SubprocessError):  # it is not frozen
            thaw(folder)
        _run("umount", "--lazy", str(folder))


def freeze(folder: Path) -> None:
    """From now on, whoever writes there waits."""
    _run("fsfreeze", "--freeze", str(folder))


def thaw(folder: Path) -> None:
    _run("fsfreeze", "--unfreeze", str(folder))
