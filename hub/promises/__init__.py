"""Promises: what every connector must keep, run from its own samples by pytest and by `hub connector test`.

A promise is a plain function with a sentence; it returns when it is kept and raises Broken when it is not.
"""

from hub.promises.bench import Bench
from hub.promises.case import Broken, Case, Outcome, cases, check
from hub.promises.scaffold import scaffold

__all__ = ["Bench", "Broken", "Case", "Outcome", "cases", "check", "scaffold"]
