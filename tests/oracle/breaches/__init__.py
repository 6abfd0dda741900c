"""Rules of the walk, broken on purpose; see `Breach`."""

from tests.oracle.breaches.blocks import BLOCKS
from tests.oracle.breaches.breach import Breach, hand_made_world
from tests.oracle.breaches.joins import JOINS
from tests.oracle.breaches.others import OTHERS

__all__ = ["BREACHES", "Breach", "hand_made_world"]

BREACHES = (*JOINS, *BLOCKS, *OTHERS)
