"""The firmware keeps to what MicroPython has, and to integers."""

import ast
from pathlib import Path

import pytest

import firmware

SOURCES = sorted(Path(firmware.__file__).parent.glob("*.py"))
MODULES = {"struct", "binascii", "micropython", "firmware"}
OF_THE_BOARD = {"board_pico.py": {"machine", "time", "os", "gc", "rp2"}, "quadrature_pio.py": {"rp2"}}
NOT_IN_THE_DEVICE = (ast.JoinedStr, ast.AnnAssign, ast.Match, ast.NamedExpr, ast.AsyncFunctionDef, ast.Yield, ast.Div)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_imports_nothing_that_the_device_has_not(source: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= MODULES | OF_THE_BOARD.get(source.name, set())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_uses_no_float_and_no_syntax_that_micropython_lacks(source: Path) -> None:
    found = [
        f"{type(node).__name__} in line {getattr(node, 'lineno', '?')}"
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, NOT_IN_THE_DEVICE)
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.FunctionDef) and (node.returns or any(arg.annotation for arg in node.args.args)))
    ]

    assert found == []
