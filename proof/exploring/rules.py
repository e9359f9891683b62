"""What must hold of every single step, in whatever state: the rules, said again in plain numbers, apart from the code.

Each rule is a function of one transition that yields a sentence for what is broken; its docstring is the rule. No limit
in them comes from `safety` or `controller`: a number that is changed there by mistake is found out.
"""

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Final

from proof.exploring import motion_rules, session_rules, steering_rules, trip_rules
from proof.exploring.transition import Rule, Transition


def _rules_of(module: ModuleType) -> tuple[Rule, ...]:
    """Its public functions of a transition, in the order in which they stand there."""
    own = [rule for _name, rule in inspect.getmembers(module, inspect.isfunction) if rule.__module__ == module.__name__]
    return tuple(rule for rule in sorted(own, key=lambda one: one.__code__.co_firstlineno) if _is_rule(rule))


def _is_rule(function: Rule) -> bool:
    return not function.__name__.startswith("_") and list(inspect.signature(function).parameters) == ["t"]


RULES: Final = tuple(
    rule for module in (motion_rules, trip_rules, session_rules, steering_rules) for rule in _rules_of(module)
)


def broken_rules(t: Transition) -> Iterator[tuple[str, str]]:
    """The name of each rule that this step breaks, and how."""
    for rule in RULES:
        for what in rule(t):
            yield rule.__name__, what
