"""Batching rules, one for each kind of operator: elementwise, along dimensions, views, products, network operators."""

from hwaro.func._rules import answers, products, views  # noqa: F401  (they register their rules)
from hwaro.func._rules.answers import RANDOM_FACTORIES, RANDOM_INPLACE, random_factory, random_inplace  # noqa: F401
from hwaro.func._rules.kinds import rule_for  # noqa: F401
