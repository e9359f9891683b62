"""Reads the samples of a finished session file column by column, from its pages: some ten times as fast as row by row.

Python's sqlite3 makes an object of every value; an export or a question over a thousand sessions makes none. The layout
is SQLite's own (sqlite.org/fileformat2.html, unchanged since 2004), and the schema is ours: whole numbers alone. Each
page is checked for what is expected of it: its kind, its cells, and row numbers that count up by one. Whatever is not
as expected ends this reading, and the rest is SQLite's to read, or to refuse with its own words.

Only a file that nobody writes is read so: one in rollback mode, which a session file gets when it is finished.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

PAGES_AT_ONCE: Final = 128  # with what is made of them, they stay in a processor's cache
ROWS_AT_ONCE: Final = 32_768  # or somewhat more: whole reads of pages
_FILE_HEADER: Final = 100
_LEAF, _INTERIOR = 13, 5
_LEAF_HEADER, _INTERIOR_HEADER = 8, 12
# What a serial type says about a value: its bytes. 7 is a float, 8 and 9 are zero and one, 10 and more no number.
_WIDTHS: Final = np.array([0, 1, 2, 3, 4, 6, 8, 0, 0, 0] + [0] * 246, np.int64)
_SHIFTS: Final = (64 - 8 * _WIDTHS) % 64  # takes away what is before the value in its eight bytes
_NULL, _FLOAT, _ONE = 0, 7, 9
_EIGHT: Final = 8  # bytes of the widest number
_ROW_NUMBER_BYTES_MAX: Final = 5
_SPREAD_MAX: Final = 4
_TWO_BYTES: Final = 128  # from here on a length takes more than one


@dataclass(slots=True)
class _Run:
    """Columns that are as wide in each of some cells: where they begin, of each cell, and their bytes together."""

    at: Any
    bytes: int = 0


class NotAsExpected(Exception):
    """The file is another than is read here: SQLite has to read it."""


def column_batches(
    path: Path, connection: sqlite3.Connection, column_count: int, chosen: Sequence[int]
) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """Batches in the order of the rows: how many, and of each chosen column its int64 values and which are absent.

    `column_count` is how many columns the file's samples have beside the row number; `chosen` are some, from 0.

    Raises NotAsExpected, at once or after some batches; and OSError.
    """
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'samples'").fetchone()
    with path.open("rb", buffering=0) as file:
        page_bytes = _page_bytes(file.read(_FILE_HEADER), path)
        leaves = list(_leaves(file.fileno(), root, page_bytes))
        before, waiting, rows = 0, [], 0
        for start in range(0, len(leaves), PAGES_AT_ONCE):
            pages = _read(file.fileno(), leaves[start : start + PAGES_AT_ONCE], page_bytes)
            cells = _cells(pages, page_bytes)
            waiting.append(_columns(pages, cells, before + rows, column_count, chosen))
            rows += len(cells)
            if rows >= ROWS_AT_ONCE or start + PAGES_AT_ONCE >= len(leaves):
                yield (
                    rows,
                    [tuple(map(np.concatenate, zip(*parts, strict=True))) for parts in zip(*waiting, strict=True)],
                )
                before, waiting, rows = before + rows, [], 0


def _page_bytes(header: bytes, path: Path) -> int:
    """The size of a page of a file that nobody writes."""
    rollback_mode = header[18:20] == b"\x01\x01"
    if len(header) < _FILE_HEADER or not rollback_mode or header[20] or path.with_name(f"{path.name}-journal").exists():
        raise NotAsExpected
    stored = int.from_bytes(header[16:18], "big")
    return 65_536 if stored == 1 else stored


def _read(file: int, numbers: Sequence[int], page_bytes: int) -> Any:
    """These pages one after another. They mostly are so in the file, with a few others between: one read takes all."""
    first, count = min(numbers), max(numbers) - min(numbers) + 1
    if count > _SPREAD_MAX * len(numbers) + 1:
        return np.concatenate([_read(file, [number], page_bytes) for number in numbers])
    content = os.pread(file, count * page_bytes, (first - 1) * page_bytes)
    if len(content) != count * page_bytes or first < 1:
        raise NotAsExpected
    return np.frombuffer(content, np.uint8).reshape(count, page_bytes)[np.array(numbers) - first].reshape(-1)


def _leaves(file: int, root: int, page_bytes: int) -> Iterator[int]:
    """The numbers of the pages that hold rows, in the order of the rows."""
    level = [root]
    while _read(file, level[:1], page_bytes)[0] != _LEAF:  # all leaves are as deep: one tells, and none is read here
        pages = _read(file, level, page_bytes).reshape(len(level), page_bytes)
        if not (pages[:, 0] == _INTERIOR).all():
            raise NotAsExpected
        level = [child for page in pages for child in _children(page)]
    yield from level


def _children(page: Any) -> list[int]:
    count = int(page[3]) << 8 | int(page[4])
    if _INTERIOR_HEADER + 2 * count > len(page):
        raise NotAsExpected
    at = page[_INTERIOR_HEADER : _INTERIOR_HEADER + 2 * count].view(">u2").astype(np.int64)
    if count and at.max() + 4 > len(page):
        raise NotAsExpected
    left = page[at[:, None] + np.arange(4)].copy().view(">u4").ravel()
    return [*left.tolist(), int.from_bytes(page[8:12].tobytes(), "big")]


def _cells(pages: Any, page_bytes: int) -> Any:
    """Where each cell begins, in the order of the rows."""
    by_page = pages.reshape(-1, page_bytes)
    counts = by_page[:, 3].astype(np.int64) << 8 | by_page[:, 4]
    if not (by_page[:, 0] == _LEAF).all() or not counts.any() or _LEAF_HEADER + 2 * counts.max() > page_bytes:
        raise NotAsExpected
    slots = np.ascontiguousarray(by_page[:, _LEAF_HEADER : _LEAF_HEADER + 2 * int(counts.max())]).view(">u2")
    used = np.arange(slots.shape[1]) < counts[:, None]
    if (slots[used] >= page_bytes).any():
        raise NotAsExpected
    return (slots.astype(np.int64) + np.arange(len(by_page))[:, None] * page_bytes)[used]


def _columns(pages: Any, cells: Any, before: int, column_count: int, chosen: Sequence[int]) -> list[tuple[Any, Any]]:
    """The chosen columns of these cells; `before` rows came before them."""
    header_bytes = column_count + 2  # a byte each, one for the row number (NULL: it is the cell's key), one for all
    pages = np.concatenate([pages, np.zeros(header_bytes + 8 * column_count + 16, np.uint8)])  # a damaged cell may
    numbers, at = _row_numbers(pages, cells + 1)  # point anywhere
    header = _from_each_byte(pages, f"V{header_bytes}")[at].view(np.uint8).reshape(-1, header_bytes)
    header = np.ascontiguousarray(header.T)
    types = [column[0] if alike else column for column, alike in zip(header, _alike(header), strict=True)][2:]
    runs, places = _runs(at + header_bytes, types)
    payload = pages[cells]
    expected = (
        (payload == runs[-1].at + runs[-1].bytes - at).all()
        and (payload < _TWO_BYTES).all()
        and (header[2:] <= _ONE).all()
        and (header[2:] != _FLOAT).all()
        and (header[0] == header_bytes).all()
        and (header[1] == _NULL).all()
        and (numbers == np.arange(before + 1, before + 1 + len(cells))).all()
    )
    if not expected:
        raise NotAsExpected
    pieces = {run: _piece(pages, runs[run]) for run in {places[each][0] for each in chosen}}
    return [_values(pieces[run], offset, types[each]) for each in chosen for run, offset in [places[each]]]


def _runs(at: Any, types: Sequence[Any]) -> tuple[list[_Run], list[tuple[int, int]]]:
    """The runs, and of each column in which one and how far from the run's beginning it ends."""
    runs, places = [_Run(at)], []
    for each in types:
        if each.ndim:
            runs.append(_Run(runs[-1].at + runs[-1].bytes + _WIDTHS[each]))
        else:
            runs[-1].bytes += int(_WIDTHS[each])
        places.append((len(runs) - 1, runs[-1].bytes))
    return runs, places


def _piece(pages: Any, run: _Run) -> Any:
    """The run's bytes in a row for each cell, with the eight before them, where a number that differs ends."""
    width = _EIGHT + run.bytes
    return _from_each_byte(pages, f"V{width}")[run.at - _EIGHT].view(np.uint8).reshape(-1, width)


def _from_each_byte(pages: Any, kind: str) -> Any:
    """What begins at each byte, read as that kind."""
    return np.ndarray((len(pages) - np.dtype(kind).itemsize + 1,), kind, pages, strides=(1,))


def _alike(header: Any) -> Any:
    """Of which columns the serial type is the same in all these rows: most, and then one number does for a column."""
    return (header == header[:, :1]).all(axis=1)


def _row_numbers(pages: Any, at: Any) -> tuple[Any, Any]:
    """The row number of each cell, and where its record begins: seven bits a byte, the last one below 128."""
    numbers, at, going_on = np.zeros(len(at), np.int64), at.copy(), np.ones(len(at), bool)
    for _ in range(_ROW_NUMBER_BYTES_MAX):
        byte = pages[at]
        numbers = np.where(going_on, numbers << 7 | (byte & 0x7F), numbers)
        at += going_on
        going_on &= byte >= 0x80
        if not going_on.any():
            return numbers, at
    raise NotAsExpected


def _values(piece: Any, offset: int, types: Any) -> tuple[Any, Any]:
    """Whole numbers of 0 to 8 bytes that end so far into the run, the highest byte first; and which are absent."""
    rows, width = piece.shape
    absent = np.full(rows, types == _NULL)
    empty = _WIDTHS[types] == 0
    if empty.all():
        return np.full(rows, types == _ONE, np.int64), absent
    values = np.ndarray((rows,), ">i8", piece, offset, (width,)).astype(np.int64)
    shift = _SHIFTS[types]
    values <<= shift
    values >>= shift
    if empty.any():
        values[empty] = types[empty] == _ONE
    return values, absent
