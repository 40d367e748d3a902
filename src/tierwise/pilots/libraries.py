"""The doors to the estimators' libraries, which take seconds to load and warn while they do."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def diff_diff() -> Any:
    """Import diff-diff, without its warning about an option of pandas that it sets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*mode.chained_assignment.*")
        import diff_diff as library
    return library


def rdrobust(*arguments: Any, **options: Any) -> Any:
    """Call `rdrobust.rdrobust`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*mode.chained_assignment.*")
        from rdrobust import rdrobust as estimate
    # It prints notes such as `Mass points detected`, which would end up in the middle of a command's answer.
    with redirect_stdout(io.StringIO()), np.errstate(divide="ignore", invalid="ignore"):
        try:
            return estimate(*arguments, **options)
        except Exception as error:
            # It raises plain `Exception` where it finds no bandwidth; callers turn that into a reason code.
            raise ArithmeticError(str(error)) from error


def rddensity(*arguments: Any, **options: Any) -> Any:
    """Call `rddensity.rddensity`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*mode.chained_assignment.*")
        from rddensity import rddensity as test
    with redirect_stdout(io.StringIO()), np.errstate(divide="ignore", invalid="ignore"):
        return test(*arguments, **options)


def robust_covariance(
    columns: Floats, residuals: Floats, clusters: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats]:
    """HC2 or, with clusters, CR2 covariance of the coefficients, and the Bell-McCaffrey degrees of freedom of each."""
    linear_algebra = diff_diff().linalg
    with warnings.catch_warnings():
        # An undefined covariance comes as NaN, which callers turn into a reason code.
        warnings.simplefilter("ignore", UserWarning)
        covariance, degrees = linear_algebra.compute_robust_vcov(
            columns, residuals, cluster_ids=clusters, vcov_type="hc2_bm", return_dof=True
        )
    return np.asarray(covariance), np.asarray(degrees)
