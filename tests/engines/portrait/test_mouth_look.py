"""How an opened mouth looks: its form, the light on its teeth, and which of them are the photo's."""

from dataclasses import replace

import numpy as np
import pytest

from engines.portrait.face.faces import FaceFinder
from engines.portrait.face.geometry import FaceFrame, Rect
from engines.portrait.mouth.edges import LipLines, snap_to_lips
from engines.portrait.mouth.fields import ACTIONS
from engines.portrait.mouth.opening import Lips, OpeningRenderer
from engines.portrait.mouth.own_teeth import own_teeth
from engines.portrait.mouth.parts import CHIN_RISES, LIPS_MEET_HALFWAY
from engines.portrait.mouth.pose import OVERCLOSE, Inside, MouthPose, action_weights
from engines.portrait.mouth.renderer import MouthRenderer
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.mouth.tongue import MouthFloor, TongueTip
from engines.portrait.pixels import F32, F64, U8
from engines.portrait.rig import PortraitRig, build_rig
from engines.portrait.video.colour import BLACK, NEUTRAL
from tests.engines.portrait.conftest import MEDIA

IOD = 100.0
FRAME = FaceFrame(np.array([150.0, 60.0]), np.eye(2), IOD)
LIP, GUM, TOOTH, SKIN = (120, 118, 166), (140, 118, 158), (205, 124, 131), (160, 112, 154)
TOP, BOTTOM, HALF = 0.50, 0.70, 0.48
"""Inner edges of the drawn lips, and half the width of the mouth, in IOD."""
MEETING = 0.61
"""Where the drawn rows of teeth meet."""
TOOTH_WIDE = 0.096
"""As far from one tooth to the next as from one point of an edge to the next: the worst case."""


@pytest.fixture(scope="module")
def closed(finder: FaceFinder) -> PortraitRig:
    """A portrait with closed lips."""
    return build_rig(MEDIA / "portrait-mona-lisa.jpg", finder)


def line(middle: float) -> F64:
    """An edge (11, 2) that is `middle` high but at its ends, which meet."""
    x = np.linspace(-HALF, HALF, 11)
    y = np.full(11, middle)
    y[[0, -1]] = (TOP + BOTTOM) / 2
    return np.stack([x, y], axis=-1)


def drawn_grin() -> F32:
    """A mouth (H, W, 3) full of teeth, with gums that reach down between them."""
    rows, columns = np.mgrid[0:200, 0:300].astype(np.float32)
    x, y = (columns - 150) / IOD, (rows - 60) / IOD
    picture = np.empty((200, 300, 3), np.float32)
    picture[:] = LIP
    inside = (np.abs(x) < HALF) & (y > TOP) & (y < BOTTOM)
    picture[inside] = TOOTH
    between = np.abs((x / TOOTH_WIDE + 0.5) % 1 - 0.5) * TOOTH_WIDE
    gum = inside & (y < TOP + 0.015 + 0.05 * np.exp(-((between / 0.03) ** 2)))
    picture[gum] = GUM
    return picture


def _opened(rig: PortraitRig, pose: MouthPose, insides: list[Inside]) -> tuple[F64, F64, list[U8]]:
    """The middle of the upper and the lower lip (2,) of `pose`, and its luma for each of `insides`."""
    mouth = rig.mouth
    weights = action_weights(pose, mouth.shape)
    edges = np.stack([mouth.upper_edge, mouth.lower_edge]) + (weights @ mouth.edge_moves).reshape(2, -1, 2)
    upper, lower = edges[:, len(mouth.upper_edge) // 2].astype(np.float64)
    planes = []
    for inside in insides:
        canvas, renderer = rig.planes.copy(), MouthRenderer(mouth)
        renderer.draw(renderer.prepare(weights[None], [inside])[0], canvas)
        planes.append(canvas.y[mouth.fields.rect.luma])
    return upper, lower, planes


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


def test_rounded_lips_narrow_the_mouth_and_hang_over_the_teeth(closed: PortraitRig) -> None:
    mouth, across, down = closed.mouth, *closed.mouth.frame.axes
    edges = []
    for pose in (MouthPose(jaw=0.25), MouthPose(jaw=0.25, width=-0.9, pucker=1.0)):
        moves = (action_weights(pose, mouth.shape) @ mouth.edge_moves).reshape(2, -1, 2)
        edges.append(mouth.upper_edge + moves[0])
    plain, rounded = (float((edge[-1] - edge[0]) @ across) for edge in edges)
    assert 0.60 < rounded / plain < 0.76
    middle = len(edges[0]) // 2
    assert (edges[1][middle] - edges[0][middle]) @ down > 0.01 * mouth.frame.iod


def test_teeth_behind_hardly_parted_lips_lie_in_their_shade_unless_bared(closed: PortraitRig) -> None:
    shape = closed.mouth.shape
    poses = [MouthPose(jaw=0.12), MouthPose(jaw=0.5), MouthPose(jaw=0.15, upper_lip=0.3, tuck=1.0)]
    weights = np.stack([action_weights(pose, shape) for pose in poses])
    brightest = []
    for pose in MouthRenderer(closed.mouth).prepare(weights, [Inside()] * len(poses)):
        assert pose.opening is not None
        covered = 1 - pose.opening.gain
        inside = covered > 0.6
        brightest.append(float(np.percentile(pose.opening.offset[inside] / covered[inside], 95)) - BLACK)
    hardly, wide, bared = brightest
    assert 0.62 * wide < hardly < 0.8 * wide
    assert hardly < 0.9 * bared


def test_painted_teeth_take_some_of_the_skin_s_colour(closed: PortraitRig) -> None:
    """As neutral as the white of an eye they would look grey between warm lips."""
    interior = closed.mouth.interior
    cover = 1 - interior.upper_clear_half[..., 0]
    tooth = np.median(interior.upper_uv[cover > 0.99] / cover[cover > 0.99, None], axis=0) - NEUTRAL
    cheek = closed.frame.to_image(np.array([[-0.55, 0.6], [0.55, 0.6]])).round().astype(int) // 2
    skin = np.array([[plane[y, x] for plane in (closed.planes.u, closed.planes.v)] for x, y in cheek])
    share = tooth / (np.median(skin, axis=0) - NEUTRAL)
    assert 0.6 < share.min() <= share.max() < 0.9


def test_a_wide_open_mouth_shows_tongue_and_lower_teeth_before_the_dark(closed: PortraitRig) -> None:
    """As filmed mouths do: only the back of the cavity is dark. Light is compared with the lip's."""
    upper, lower, planes = _opened(closed, MouthPose(jaw=1.0), [Inside()])
    lip, dark, tongue, teeth = (
        int(planes[0][tuple((upper + share * (lower - upper)).round().astype(int)[::-1])]) - BLACK
        for share in (-0.02, 0.3, 0.8, 0.92)
    )
    assert dark < 0.3 * lip
    assert tongue > 0.6 * lip
    assert teeth > 0.55 * lip


def test_a_raised_tongue_fills_the_mouth_up_to_the_upper_teeth(closed: PortraitRig) -> None:
    upper, lower, planes = _opened(closed, MouthPose(jaw=0.65), [Inside(), Inside(tongue=1.0)])
    change = []
    for share in (0.08, 0.2, 0.35):  # on the upper teeth, right below them, where it was dark
        column, row = (upper + share * (lower - upper)).round().astype(int)
        change.append(int(planes[1][row, column]) - int(planes[0][row, column]))
    assert abs(change[0]) <= 2
    assert min(change[1:]) > 12


def test_the_tip_rises_behind_the_lower_teeth_and_for_th_lies_on_them() -> None:
    """Also, that a tip in an opened jaw has further to go, and that one at rest costs nothing."""
    blank = np.zeros((40, 40), np.float32)
    cover, teeth = blank.copy(), blank.copy()
    cover[30:], teeth[24:28] = 1, 1
    tip = TongueTip(light=100 * cover, cover=cover, colour=np.array([120, 150], np.float32), travel=0.02)
    floor = MouthFloor(blank + 60, np.full((20, 20, 2), 128, np.float32), teeth, tip, FRAME)
    behind, out, wider = floor.at(0.1, 1.0, 0.0)[0], floor.at(0.1, 1.0, 1.0)[0], floor.at(0.15, 1.0, 0.0)[0]
    top = [int(np.flatnonzero(plane[:, 20] > 90)[0]) for plane in (behind, wider)]
    assert top[0] == pytest.approx(18, abs=1)
    assert top[1] == pytest.approx(13, abs=1)
    assert behind[26, 20] == 60
    assert out[26, 20] > 90
    assert floor.at(0.1, 0.0, 0.0)[0].min() == 60 == floor.at(0.1, 0.0, 0.0)[0].max()
    assert floor.at(0.1, 1.0, 0.0)[1][10, 10, 1] > 140


def test_gums_between_teeth_are_not_taken_for_the_lip() -> None:
    lines = LipLines(line(TOP - 0.12), line(TOP + 0.02), line(BOTTOM), line(BOTTOM + 0.14))
    upper, lower = snap_to_lips(lines, FRAME, drawn_grin())
    np.testing.assert_allclose(upper[2:-2, 1], TOP + 0.02, atol=0.025)
    np.testing.assert_allclose(lower[2:-2, 1], BOTTOM, atol=0.025)


def grinning() -> MouthShape:
    """The shape of the mouth in `drawn_grin`."""
    return MouthShape(
        upper=line(TOP),
        lower=line(BOTTOM),
        centre_x=0.0,
        half_width=(HALF, HALF),
        gap=BOTTOM - TOP,
        open=True,
        corners=np.array([[-HALF, 0.6], [HALF, 0.6]]),
        chin=np.array([0.0, 1.1]),
        nose=np.array([0.0, 0.3]),
        oval=np.zeros((36, 2)),
    )


def cover_at(cover: F32, rect: Rect, x: float, y: float) -> float:
    column, row = FRAME.to_image(np.array([x, y])).round().astype(int) - [rect.x0, rect.y0]
    return float(cover[row, column])


def test_gums_stay_with_the_teeth_and_lights_on_the_lip_do_not() -> None:
    """Left out, gums would leave gaps above the teeth; taken along, a light would hang from them."""
    picture, rect = drawn_grin(), Rect(80, 80, 220, 170)
    low, high = round(60 + (BOTTOM - 0.09) * IOD), round(60 + BOTTOM * IOD)
    picture[low:high, 95:205] = (30, 124, 136)  # the dark below the teeth
    picture[low:high, 148:156] = TOOTH  # and a light in it
    upper, lower = own_teeth(grinning(), FRAME, picture, rect, np.array(SKIN, np.float64))
    assert upper is not None
    assert lower is None
    gum, tooth, light = (0.0, TOP + 0.03), (TOOTH_WIDE / 2, TOP + 0.08), (0.02, BOTTOM - 0.03)
    assert cover_at(upper.cover, rect, *gum) > 0.7
    assert cover_at(upper.cover, rect, *tooth) > 0.9
    assert cover_at(upper.cover, rect, *light) < 0.2


def test_a_few_white_pixels_are_no_row_of_teeth() -> None:
    """What shows between lips that are hardly parted in the middle is painted rather than reused."""
    picture, rect = drawn_grin(), Rect(80, 80, 220, 170)
    picture[:, :125], picture[:, 175:] = LIP, LIP
    assert own_teeth(grinning(), FRAME, picture, rect, np.array(SKIN, np.float64)) == (None, None)


def touching_rows(line: tuple[int, int, int], below: tuple[int, int, int]) -> F32:
    """`drawn_grin` with a `line` across it and, under that, what is `below`."""
    picture = drawn_grin()
    rows, columns = np.mgrid[0:200, 0:300].astype(np.float32)
    inside = (np.abs((columns - 150) / IOD) < HALF) & ((rows - 60) / IOD < BOTTOM)
    picture[inside & ((rows - 60) / IOD > MEETING)] = below
    picture[inside & (np.abs((rows - 60) / IOD - MEETING) < 0.012)] = line
    return picture


def test_rows_of_teeth_that_touch_part_where_they_meet() -> None:
    rect = Rect(80, 80, 220, 170)
    picture = touching_rows((190, 124, 132), TOOTH)
    upper, lower = own_teeth(grinning(), FRAME, picture, rect, np.array(SKIN, np.float64))
    assert upper is not None
    assert lower is not None
    for x in (-0.2, 0.0, 0.2):
        assert cover_at(upper.cover, rect, x, MEETING - 0.04) > 0.9
        assert cover_at(upper.cover, rect, x, MEETING + 0.03) < 0.1
        assert cover_at(lower.cover, rect, x, MEETING - 0.03) < 0.1
        assert cover_at(lower.cover, rect, x, MEETING + 0.04) > 0.9


@pytest.mark.parametrize(
    ("line", "below"),
    [(TOOTH, TOOTH), ((150, 124, 140), LIP), ((150, 118, 152), (190, 116, 158))],
    ids=["one row", "a lip in its shade", "a shining lip"],
)
def test_one_row_of_teeth_is_not_cut_in_two(line: tuple[int, int, int], below: tuple[int, int, int]) -> None:
    rect, picture = Rect(80, 80, 220, 170), touching_rows(line, below)
    upper, lower = own_teeth(grinning(), FRAME, picture, rect, np.array(SKIN, np.float64))
    assert upper is not None
    assert lower is None


def test_bared_lower_teeth_rise_with_the_chin_that_shuts_a_wide_open_mouth(
    rig: PortraitRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they would stay behind, out of sight below the lip, in all that such a mouth says."""
    jaws = []

    def prepare(_: OpeningRenderer, lips: Lips) -> list[None]:
        jaws.append(float(lips.jaws[0]))
        return [None]

    monkeypatch.setattr(OpeningRenderer, "prepare", prepare)
    for gap in (LIPS_MEET_HALFWAY, LIPS_MEET_HALFWAY + 0.2):
        mouth = replace(rig.mouth, shape=replace(rig.mouth.shape, gap=gap))
        MouthRenderer(mouth).prepare(action_weights(MouthPose(), mouth.shape)[None], [Inside()])
    assert jaws[0] == 0
    assert jaws[1] == pytest.approx(-0.2 * CHIN_RISES * OVERCLOSE, abs=1e-3)
