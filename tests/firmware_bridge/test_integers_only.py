import ast
import inspect
from types import ModuleType

import pytest

from firmware_bridge import cobs, device_clock, framing, link, messages


def uses_of_floats(source: str) -> list[str]:
    """Every float constant, true division and mention of float in the code."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or isinstance(node, ast.Div)
        or (isinstance(node, ast.Name) and node.id == "float")
    ]


@pytest.mark.parametrize("module", [cobs, device_clock, framing, link, messages], ids=lambda module: module.__name__)
def test_what_goes_over_the_wire_and_when_is_computed_in_whole_numbers(module: ModuleType) -> None:
    assert uses_of_floats(inspect.getsource(module)) == []
    assert uses_of_floats("x = 1.5") != []
