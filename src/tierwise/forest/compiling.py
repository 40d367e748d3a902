"""Compile the loops of the contribution kernel, once per installation where that can be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function to machine code that runs without the interpreter's lock.

    The machine code is kept beside the source or, where that cannot be written, in the user's cache folder; with
    neither, it is compiled anew in every process. Numba notices a changed file, but not a changed callee in another
    one: compiled functions call only functions of their own file. No `fastmath`, because it breaks the tests of
    missing values.
    """
    try:
        return cast("Function", numba.njit(function, cache=True, nogil=True))
    except RuntimeError:
        return cast("Function", numba.njit(function, nogil=True))
