"""A process of our own, made to answer soon: what its commands have no use for is left out.

It is done where the process is `connstat`, never where somebody else's program imports us.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from types import ModuleType

_OBJECTS = 50_000
"""So many new objects before Python looks for circles among them: a plan makes thousands."""


class _WithoutNumpy:
    """Finds no numpy for pyarrow, which takes it along where it is there and works without.

    Importing it takes a fifth of the time of a short command. Whoever asks for it later has it.
    """

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        """Nothing, which leaves it to the other finders; but no numpy while pyarrow is imported."""
        if name == "numpy":
            pyarrow = sys.modules.get("pyarrow")
            if pyarrow is not None and not hasattr(pyarrow, "lib"):
                raise ModuleNotFoundError("pyarrow does without it here", name=name)


def spare() -> None:
    """Leave out what takes time at the start. To be called before anything is imported for it."""
    gc.set_threshold(_OBJECTS, 20, 20)
    if "pyarrow" not in sys.modules and "numpy" not in sys.modules:
        sys.meta_path.insert(0, _WithoutNumpy())
