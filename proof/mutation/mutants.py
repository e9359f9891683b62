"""Every mutant of the limiter's source: where it differs, and in what."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from proof.mutation.operators import Enumerations, other_returns, replacements

TEXT_MAX: Final = 160  # a longer statement is told apart by the part of it that changes
ANNOTATIONS: Final = {"annotation", "returns"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake. What tells it from others is text, so that moving a line changes nothing.

    `function` is empty outside any. `tree` is the whole file's, `parent`, `place` and `index` say where in it
    `replacement` goes.
    """

    file: str
    function: str
    was: str
    becomes: str
    tree: ast.Module = field(repr=False, compare=False)
    parent: ast.AST = field(repr=False, compare=False)
    place: str = field(repr=False, compare=False)
    index: int | None = field(repr=False, compare=False)
    replacement: ast.AST = field(repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.file, self.function, self.was, self.becomes

    def __str__(self) -> str:
        return f"{self.file} {self.function or '(top level)'}: {self.was}  ->  {self.becomes}"

    def apply(self) -> ast.Module:
        """Changes the tree, for good: to be called in a process of the mutant's own."""
        _put(self.parent, self.place, self.index, self.replacement)
        return ast.fix_missing_locations(self.tree)


@dataclass(frozen=True, slots=True)
class _Step:
    parent: ast.AST
    place: str
    index: int | None
    node: ast.AST


def mutants_of(root: Path, files: Sequence[str]) -> list[Mutant]:
    """Every mutant of those files of the repository, in the order of their lines."""
    trees = {file: ast.parse((root / file).read_text(encoding="utf-8")) for file in files}
    folders = {(root / file).parent for file in files}
    enumerations = _enumerations([path for folder in sorted(folders) for path in sorted(folder.glob("*.py"))])
    return [mutant for file, tree in trees.items() for mutant in _mutants_of_tree(file, tree, enumerations)]


def _enumerations(paths: Sequence[Path]) -> Enumerations:
    classes = [
        node
        for path in paths
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Enum" for base in node.bases)
    ]
    return {
        enumeration.name: [
            target.id
            for statement in enumeration.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        ]
        for enumeration in classes
    }


def _mutants_of_tree(file: str, tree: ast.Module, enumerations: Enumerations) -> Iterator[Mutant]:
    for steps in _paths(tree, ()):
        last = steps[-1]
        others = list(replacements(last.node, enumerations))
        if isinstance(last.node, ast.Return):
            others += other_returns(last.node, _return_annotation(steps))
        for replacement in others if _may_change(steps) else ():
            if isinstance(replacement, ast.Pass) and not _function_of(steps):
                continue  # a name that is missing from a module or a class is missed by whatever imports it
            was, becomes = _texts(steps, replacement)
            yield Mutant(
                file, _qualified_name(steps), was, becomes, tree, last.parent, last.place, last.index, replacement
            )


def _paths(node: ast.AST, above: tuple[_Step, ...]) -> Iterator[tuple[_Step, ...]]:
    """The way to every node below, but for annotations, which decide nothing."""
    for place, value in ast.iter_fields(node):
        if place in ANNOTATIONS:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                steps = (*above, _Step(node, place, index, child))
                yield steps
                yield from _paths(child, steps)


def _may_change(steps: Sequence[_Step]) -> bool:
    """Not what only a type checker reads, nor what could not even be unpacked."""
    parents = [step.parent for step in steps]
    in_type = any(isinstance(parent, ast.Subscript) and ast.unparse(parent.value) == "tuple" for parent in parents)
    unpacked = isinstance(parents[-1], ast.Assign) and isinstance(parents[-1].targets[0], ast.Tuple)
    return not in_type and not unpacked


def _function_of(steps: Sequence[_Step]) -> list[ast.FunctionDef]:
    return [step.node for step in steps if isinstance(step.node, ast.FunctionDef)]


def _qualified_name(steps: Sequence[_Step]) -> str:
    kinds = ast.FunctionDef | ast.ClassDef
    return ".".join(step.node.name for step in steps if isinstance(step.node, kinds))


def _return_annotation(steps: Sequence[_Step]) -> str:
    functions = _function_of(steps)
    returns = functions[-1].returns if functions else None
    return "None" if returns is None else ast.unparse(returns)


def _texts(steps: Sequence[_Step], replacement: ast.AST) -> tuple[str, str]:
    """The statement before and after; of a long one, the largest part around the change that is short enough."""
    last = steps[-1]
    left_out = _left_out(last.node, replacement)
    if left_out is not None:
        return _said(left_out)[:TEXT_MAX], "(left out)"
    first = max(number for number, step in enumerate(steps) if isinstance(step.node, ast.stmt | ast.match_case))
    around = [step for step in steps[first:] if len(_said(step.node)) <= TEXT_MAX] or [last]
    shown = around[0]
    was = _said(shown.node)
    if shown is last:
        becomes = _said(replacement)
    else:
        _put(last.parent, last.place, last.index, replacement)
        becomes = _said(shown.node)
        _put(last.parent, last.place, last.index, last.node)
    return was, becomes


def _left_out(node: ast.AST, replacement: ast.AST) -> ast.AST | None:
    """The row that a table lost, or the case that a match lost."""
    match node, replacement:
        case (ast.Tuple(elts=before), ast.Tuple(elts=after)) if len(before) > len(after):
            return next(element for element in before if element not in after)
        case (ast.Dict(keys=before), ast.Dict(keys=after)) if len(before) > len(after):
            return next(key for key in before if key not in after)
        case (ast.Match(cases=cases), ast.Match(cases=fewer)) if len(cases) > len(fewer):
            return next(case for case in cases if case not in fewer)
    return None


def _said(node: ast.AST) -> str:
    """The node's source, of a compound statement the header."""
    match node:
        case ast.match_case(pattern=pattern):
            return f"case {ast.unparse(pattern)}:"
        case ast.Match(subject=subject):
            return f"match {ast.unparse(subject)}:"
        case ast.If(test=test):
            return f"if {ast.unparse(test)}:"
        case ast.For(target=target, iter=gone_through):
            return f"for {ast.unparse(target)} in {ast.unparse(gone_through)}:"
        case ast.FunctionDef(name=name, args=arguments):
            return f"def {name}({ast.unparse(arguments)}):"
        case ast.ClassDef(name=name, decorator_list=decorators):
            return " ".join([*(f"@{ast.unparse(decorator)}" for decorator in decorators), f"class {name}:"])
        case _:
            return " ".join(ast.unparse(node).split())


def _put(parent: ast.AST, place: str, index: int | None, node: Any) -> None:
    if index is None:
        setattr(parent, place, node)
    else:
        getattr(parent, place)[index] = node
