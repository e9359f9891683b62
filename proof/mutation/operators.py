"""The mistakes that a tired person makes in a line of code, as changes of its syntax tree.

Texts are left alone: the catalogue's are pinned word by word, and a sentence that is worded otherwise harms nobody.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

# Of each enumeration, by its name: its members, in order.
Enumerations = Mapping[str, Sequence[str]]
Operator = Callable[[ast.AST, Enumerations], Iterator[ast.AST]]

COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
CALLED_INSTEAD: Final = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "smaller": "larger",
    "larger": "smaller",
}
DELETABLE: Final = (ast.Assign, ast.AugAssign, ast.Raise, ast.If)


def replacements(node: ast.AST, enumerations: Enumerations) -> Iterator[ast.AST]:
    """Everything that might stand in the node's place by mistake."""
    for operator in OPERATORS:
        yield from operator(node, enumerations)


def _comparison(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Compare):
        return
    for index, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            operators = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)


def _and_or(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    if not isinstance(node, ast.BoolOp):
        return
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        left_over = [*node.values[:index], *node.values[index + 1 :]]
        yield ast.BoolOp(node.op, left_over) if len(left_over) > 1 else left_over[0]


def _sign_or_not(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _arithmetic(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


def _constant(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant):
        return
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int():
            for value in (node.value + 1, node.value - 1, -node.value):
                if value != node.value:
                    yield ast.Constant(value)


def _condition(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.comprehension(target=target, iter=gone_through, ifs=[_, *_]):
            yield ast.comprehension(target, gone_through, [], 0)


def _other_name(node: ast.AST, enumerations: Enumerations) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=ast.Name(id=called), args=args, keywords=keywords) if called in CALLED_INSTEAD:
            yield ast.Call(ast.Name(CALLED_INSTEAD[called], ast.Load()), args, keywords)
        case ast.Call(func=ast.Name(id="abs"), args=[argument]):
            yield argument
        case ast.Attribute(value=ast.Name(id=name), attr=member) if member in enumerations.get(name, ()):
            members = enumerations[name]
            another = members[(members.index(member) + 1) % len(members)]
            yield ast.Attribute(ast.Name(name, ast.Load()), another, ast.Load())


def _left_out(node: ast.AST, _enumerations: Enumerations) -> Iterator[ast.AST]:
    """A statement, a case of a match, a rule of a table: forgotten."""
    match node:
        case ast.Expr(value=value) if not isinstance(value, ast.Constant):
            yield ast.Pass()
        case ast.stmt() if isinstance(node, DELETABLE):
            yield ast.Pass()
        case ast.Match(subject=subject, cases=cases):
            for index in range(len(cases)):
                yield ast.Match(subject, [*cases[:index], *cases[index + 1 :]])
        case ast.Tuple(elts=elements, ctx=ast.Load()) if _is_table(elements):
            for index in range(len(elements)):
                yield ast.Tuple([*elements[:index], *elements[index + 1 :]], ast.Load())
        case ast.Dict(keys=keys, values=values):
            for index in range(len(keys)):
                yield ast.Dict([*keys[:index], *keys[index + 1 :]], [*values[:index], *values[index + 1 :]])


def _is_table(elements: Sequence[ast.expr]) -> bool:
    """One row after another; what holds texts is a row itself."""
    if any(isinstance(element, ast.Constant) for element in elements):
        return False
    return len(elements) > 2 or any(isinstance(element, ast.Starred) for element in elements)


OPERATORS: Final[tuple[Operator, ...]] = (
    _comparison,
    _and_or,
    _sign_or_not,
    _arithmetic,
    _constant,
    _condition,
    _other_name,
    _left_out,
)


def other_returns(node: ast.Return, annotated: str) -> Iterator[ast.AST]:
    """What a function of that annotation might return instead: the other answer, or nothing."""
    if node.value is None or annotated == "None":
        return
    others = {"bool": ("True", "False")}.get(annotated, ("()",) if annotated.startswith("tuple") else ("None",))
    for other in others:
        if ast.unparse(node.value) != other:
            yield ast.Return(ast.parse(other, mode="eval").body)
