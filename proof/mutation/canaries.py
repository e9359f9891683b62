"""Mutants whose verdict is known beforehand: where one of them comes out otherwise, the gate itself is broken."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proof.mutation.trial import Outcome, Trial

# The same comparison, said from the other side.
TURNED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}


@dataclass(frozen=True, slots=True)
class Canary:
    name: str
    trial: Trial
    expected: Outcome


def canaries(root: Path) -> Sequence[Canary]:
    """What changes nothing and has to survive, and a gate that always says yes, which has to be noticed."""
    limiter, plausibility = "safety/limiter.py", "safety/plausibility.py"
    return (
        Canary("the file as it is", Trial(limiter, lambda: _tree(root, limiter)), Outcome.SURVIVED),
        Canary(
            "every comparison said from the other side",
            Trial(plausibility, lambda: _turned(_tree(root, plausibility))),
            Outcome.SURVIVED,
        ),
        Canary(
            "a gate that says yes to all", Trial(limiter, lambda: _always_yes(_tree(root, limiter))), Outcome.KILLED
        ),
    )


def _tree(root: Path, file: str) -> ast.Module:
    return ast.parse((root / file).read_text(encoding="utf-8"))


def _turned(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
            node.left, node.comparators = node.comparators[0], [node.left]
            node.ops = [TURNED[type(node.ops[0])]()]
    return tree


def _always_yes(tree: ast.Module) -> ast.Module:
    (review,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "review")
    review.body = [ast.Return(ast.parse("_permit(motion, situation)", mode="eval").body)]
    return ast.fix_missing_locations(tree)
