"""Floor 0: what every layer promises."""

from __future__ import annotations

from typing import NoReturn


class Layer:
    """A step of a computation that can be walked backwards.

    ``forward`` computes the output and remembers just what ``backward`` will need;
    ``backward`` takes the gradient of the loss with respect to that output, `dout`,
    and returns the gradient with respect to the input: the chain rule, one link.

    Where a method has an argument `out`, ``out=None`` allocates the result; an array
    given as `out` is overwritten with it and returned, and it may be the input itself.
    Arrays are kept by reference: do not change one between ``forward`` and ``backward``.
    """

    def __getattr__(self, name: str) -> NoReturn:
        # Runs only when an attribute is missing, so the clear message costs nothing.
        kind = type(self).__name__
        raise AttributeError(
            f"this {kind} has no {name!r} yet: call forward(), then backward(), before reading it"
            if not name.startswith("_")
            else f"{kind!r} object has no attribute {name!r}"
        )
