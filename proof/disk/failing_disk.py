"""A disk that fails, hangs and remembers, put between SQLite and the system it runs on.

SQLite reaches a disk through a table of functions (its VFS). This one hands every call on to the system's own, except
those that it was told to fail; it is made with ctypes, of the very library that Python's sqlite3 uses, so that what
is proven is the recorder as it runs at a table: no line of it knows.
"""

import _sqlite3
import ctypes
import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, addressof, byref, c_char_p, c_int, c_int64, c_void_p, memmove, sizeof
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

SQLITE_OK: Final = 0
SQLITE_FULL: Final = 13
IOERR: Final = {"write": 10 | 3 << 8, "sync": 10 | 4 << 8, "truncate": 10 | 6 << 8, "delete": 10 | 10 << 8}
CANTOPEN: Final = 14

Kind = Literal["open", "write", "sync", "truncate", "delete", "lost"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that changes a disk: what, to which file, where, with which bytes (a truncation: at which size).

    "lost" is a sync that failed: the system has forgotten what it was to bring to the disk.
    """

    kind: Kind
    path: Path
    offset: int = 0
    data: bytes = b""


class NoFailingDisk(RuntimeError):
    """This Python's SQLite cannot be reached from outside; the text says what to do."""


@dataclass(slots=True)
class FailingDisk:
    """`refuse` is asked before every call, in the thread that makes it: 0 lets it pass, an errno fails it.

    It may also wait: that is a disk that hangs. `synced` is told of each sync that has come back. `calls` holds what
    passed, in order.
    """

    refuse: Callable[[Call], int] = lambda _call: 0
    synced: Callable[[Path], None] = lambda _path: None
    calls: list[Call] = field(default_factory=list)
    refused: list[Call] = field(default_factory=list)

    def takes(self, call: Call) -> int:
        """What SQLite is told: SQLITE_OK where the call may go on."""
        why = self.refuse(call)
        if why == 0:
            self.calls.append(call)
            return SQLITE_OK
        self.refused.append(call)
        if call.kind == "sync":
            self.calls.append(Call("lost", call.path))
        if call.kind == "open":
            return CANTOPEN
        return SQLITE_FULL if why == errno.ENOSPC else IOERR[call.kind]

    def full(self) -> None:
        """From now on, as a disk without a free byte: what is there may be written over, nothing grows."""
        self.refuse = lambda call: errno.ENOSPC if call.kind in ("open", "write") else 0

    def broken(self, *kinds: Kind) -> None:
        """From now on, every call of these kinds fails."""
        self.refuse = lambda call: errno.EIO if call.kind in kinds else 0

    def fails_at(self, nth: int, *kinds: Kind, times: int = 1) -> None:
        """The nth call of these kinds from now on fails (1 is the next), and `times - 1` calls behind it."""
        counted = 0

        def refuse(call: Call) -> int:
            nonlocal counted
            counted += call.kind in kinds
            return errno.EIO if call.kind in kinds and nth <= counted < nth + times else 0

        self.refuse = refuse

    def hangs(self) -> threading.Event:
        """From now on, every call waits until the event that this returns is set."""
        goes_on = threading.Event()

        def refuse(_call: Call) -> int:
            goes_on.wait()
            return 0

        self.refuse = refuse
        return goes_on

    def heals(self) -> None:
        self.refuse = lambda _call: 0


# A name is passed on as the address that came: SQLite keeps more behind the string that is there.
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    """`sqlite3_vfs`, third version; the functions that are only handed on are addresses."""

    _fields_ = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("path_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("app_data", c_void_p),
        ("open", _Open),
        ("delete", _Delete),
        *((f"handed_on_{number}", c_void_p) for number in range(14)),
    ]


class _Methods(Structure):
    """`sqlite3_io_methods`, third version."""

    _fields_ = [
        ("version", c_int),
        ("close", _Close),
        ("read", c_void_p),
        ("write", _Write),
        ("truncate", _Truncate),
        ("sync", _Sync),
        *((f"handed_on_{number}", c_void_p) for number in range(13)),
    ]


class _File(Structure):
    """The beginning of every `sqlite3_file`."""

    _fields_ = [("methods", c_void_p)]


class _Shim:
    """The table of functions, with every address kept for as long as this lives."""

    def __init__(self, library: Any, system: _Vfs) -> None:
        self.disk: FailingDisk | None = None
        self._library = library
        self._system = system
        self._paths: dict[int, Path] = {}
        self._methods: dict[int, tuple[_Methods, _Methods]] = {}
        self.table = _Vfs()
        memmove(byref(self.table), byref(system), sizeof(_Vfs))
        self.table.name = b"tractable-failing-disk"
        self.table.open, self.table.delete = _Open(self._open), _Delete(self._delete)

    def _allowed(self, kind: Kind, path: Path, offset: int = 0, data: bytes = b"") -> int:
        return SQLITE_OK if self.disk is None else self.disk.takes(Call(kind, path, offset, data))

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, flags_out: int | None) -> int:
        path = _path(name)
        if name and not path.exists() and (refused := self._allowed("open", path)):
            _File.from_address(file).methods = None
            return refused
        code = int(self._system.open(addressof(self._system), name, file, flags, flags_out))
        opened = _File.from_address(file)
        if opened.methods:
            self._paths[file] = path
            opened.methods = addressof(self._replaced(opened.methods)[1])
        return code

    def _replaced(self, original: int) -> tuple[_Methods, _Methods]:
        """The system's functions for that kind of file, and the same with ours in between."""
        if original not in self._methods:
            system, ours = _Methods.from_address(original), _Methods()
            memmove(byref(ours), byref(system), sizeof(_Methods))
            ours.close = _Close(lambda file: self._close(system, file))
            ours.write = _Write(lambda file, data, size, at: self._write(system, file, data, size, at))
            ours.truncate = _Truncate(lambda file, size: self._truncate(system, file, size))
            ours.sync = _Sync(lambda file, flags: self._sync(system, file, flags))
            self._methods[original] = system, ours
        return self._methods[original]

    def _close(self, system: _Methods, file: int) -> int:
        self._paths.pop(file, None)
        return int(system.close(file))

    def _write(self, system: _Methods, file: int, data: int, size: int, at: int) -> int:
        refused = self._allowed("write", self._paths[file], at, ctypes.string_at(data, size))
        return refused or int(system.write(file, data, size, at))

    def _truncate(self, system: _Methods, file: int, size: int) -> int:
        return self._allowed("truncate", self._paths[file], size) or int(system.truncate(file, size))

    def _sync(self, system: _Methods, file: int, flags: int) -> int:
        path = self._paths[file]
        code = self._allowed("sync", path) or int(system.sync(file, flags))
        if code == SQLITE_OK and self.disk is not None:
            self.disk.synced(path)
        return code

    def _delete(self, _vfs: int, name: int, sync_folder: int) -> int:
        refused = self._allowed("delete", _path(name))
        return refused or int(self._system.delete(addressof(self._system), name, sync_folder))


def _path(name: int | None) -> Path:
    return Path(ctypes.string_at(name).decode()) if name else Path()


_made: list[_Shim] = []  # SQLite keeps the address of the table for as long as the process lives


def _shim() -> _Shim:
    if not _made:
        library = ctypes.CDLL(_sqlite3.__file__)
        if not hasattr(library, "sqlite3_vfs_find"):
            raise NoFailingDisk("This Python carries an SQLite that nothing can be put under: use the system's Python.")
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        _made.append(_Shim(library, library.sqlite3_vfs_find(None).contents))
    return _made[0]


@contextmanager
def failing_disk() -> Iterator[FailingDisk]:
    """Everything that SQLite opens in this process meanwhile lies on this disk. Raises NoFailingDisk."""
    shim = _shim()
    shim.disk = disk = FailingDisk()
    shim._library.sqlite3_vfs_register(byref(shim.table), 1)
    try:
        yield disk
    finally:
        disk.heals()
        shim._library.sqlite3_vfs_unregister(byref(shim.table))
        shim.disk = None
