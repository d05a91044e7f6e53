"""How an opened mouth looks."""

import numpy as np
import pytest

from tests.engines.portrait.conftest import MEDIA
from videos.engines.portrait.faces import FaceFinder
from videos.engines.portrait.mouth.fields import ACTIONS
from videos.engines.portrait.rig import PortraitRig, build_rig


@pytest.fixture(scope="module")
def closed(finder: FaceFinder) -> PortraitRig:
    """A portrait with closed lips."""
    return build_rig(MEDIA / "portrait-mona-lisa.jpg", finder)


def test_the_corners_follow_the_jaw_and_the_opening_is_an_oval(closed: PortraitRig) -> None:
    mouth = closed.mouth
    jaw = mouth.edge_moves[ACTIONS.index("jaw")].reshape(2, -1, 2) @ mouth.frame.axes[1]
    corner = np.array([mouth.fields.rect.x0, mouth.fields.rect.y0])
    x = mouth.frame.to_face(mouth.upper_edge + corner)[:, 0]
    across = mouth.shape.across(x.astype(np.float32)) * np.sign(x - mouth.shape.centre_x)
    gap = jaw[1] - jaw[0]
    corners = (jaw[0, [0, -1]] + jaw[1, [0, -1]]) / 2
    share = corners.mean() / np.interp(0, across, jaw[1])
    assert 0.25 < share < 0.45
    for side in (-1, 1):
        halfway, outer = np.interp(np.array([0.5, 0.75]) * side, *(np.stack([across, gap / gap.max()])))
        assert halfway > 0.75
        assert 0.52 < outer < 0.8
