"""TOML with line numbers, so that an error can say where: `tomllib` tells what a text holds, and not where."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"""^\s*([A-Za-z0-9_."' -]+?)\s*=""")
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")

Place = tuple[str | int, ...]  # ("event", 1, "force"): that key of the second [[event]]


class TomlFault(ValueError):
    """What is wrong with a file, and where: "FILE, line N: ..."."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file's tables, and where each key stands."""

    source: str
    tables: dict[str, Any]
    lines: dict[Place, int]

    def fault(self, place: Place, sentence: str) -> TomlFault:
        """A complaint about what stands there. A missing key is told at its table, a missing table at the file."""
        line = self.line_of(place)
        return TomlFault(f"{self.source}{f', line {line}' if line else ''}: {sentence}")

    def line_of(self, place: Place) -> int | None:
        """The line of that key, or of what it stands in (an inline table has one line); None for the whole file."""
        while place:
            if place in self.lines:
                return self.lines[place]
            place = place[:-1]
        return None


def read_document(text: str, source: str) -> Document:
    """Raises TomlFault where the text is not TOML."""
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        where = _AT_LINE.search(str(error))
        line = int(where[1]) if where and where[1] else len(text.splitlines())
        what = _AT_LINE.sub("", str(error)).strip()
        raise TomlFault(f"{source}, line {line}: not TOML ({what}); correct that line.") from error
    return Document(source, tables, dict(_places(text)))


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Every key and table header with its line. Lines inside a long string are taken for keys, which does no harm."""
    table: Place = ()
    count: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                index = count[table] = count.get(table, -1) + 1
                table = (*table, index)
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key[1])), number


def _parts(dotted: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def nearest(word: str, known: Iterable[str]) -> str:
    """ "; did you mean 'hold'?", for the end of a sentence about an unknown word. Empty where nothing is known."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)
    return f"; did you mean {match[0]!r}?" if match else ""
