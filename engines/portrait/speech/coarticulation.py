"""From what is heard in every frame to continuous lip shapes.

Neighbouring targets blend in proportion to their dominance, after M. Cohen and D. Massaro,
"Modeling coarticulation in synthetic visual speech" (1993), with Gaussian dominance functions.
Uncertain frames take the mean of the shapes they may be, weighted with their probability.
"""

import numpy as np
from numpy.typing import NDArray

from engines.portrait.speech import constants as c
from engines.portrait.speech.smoothing import blur, ramp
from engines.portrait.speech.visemes import dominance_table, shape_table, tongue_table


def blend(posteriors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 5) lip shapes, closures left out, from (n, units) probabilities at the analysis rate."""
    insisting = posteriors * dominance_table()
    weight: NDArray[np.float32] = insisting.sum(axis=1)
    total = blur(weight, c.VISEME_SIGMA_S)[:, None]
    shapes: NDArray[np.float32] = (
        blur((insisting @ shape_table()).astype(np.float32), c.VISEME_SIGMA_S) / total
    )
    return shapes


def tongue_tip(posteriors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 2) how far the tongue's tip is raised and put out, from (n, units) probabilities.

    No sound blends with its neighbours here: a tongue is up or it is not, whatever the vowels around.
    """
    return ramp(blur(posteriors @ tongue_table(), c.TONGUE_SIGMA_S), c.TONGUE_SURE)
