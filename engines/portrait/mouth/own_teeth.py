"""The teeth that a photo shows, taken from it as they are: the largest single gain in likeness.

They are continued under the lip that covers their roots, so that they are uncovered rather than stretched
when the lips part. Those above the dark between the rows stay with the skull, those below it move with the
jaw.
"""

from dataclasses import dataclass

import numpy as np

from engines.portrait.face.geometry import FaceFrame, Rect, smoothstep
from engines.portrait.mouth.shape import MouthShape
from engines.portrait.mouth.teeth import Teeth
from engines.portrait.pixels import F32, F64, blur, pixel_grid, remap_float
from engines.portrait.video.colour import BLACK, NEUTRAL

MIN_LIGHT, SURE_LIGHT = 0.55, 1.10
"""Brightness relative to the skin: what is darker is not tooth, what is brighter can be nothing else."""
MAX_REDNESS = 0.90
"""In between, tongue and lips are at least as red as this share of the skin's redness."""
TOOTH_REDNESS = 0.5
"""Lips, gums and tongue are redder than the midst between teeth and skin."""
REDNESS_SOFT = 8.0
"""Code values of Cr from tooth to gum or lip."""
GUMS = 0.06
"""What lies so close above teeth (IOD) is their gum and stays with them, as red as it is."""
BITE_COLUMNS, BITE_WINDOW = 64, 0.20
"""A row ends where most of it does within this width (IOD), more than a tooth's, and BITE_SLACK beyond."""
BITE_SLACK, EDGE_SOFT = 0.012, 0.02
OPEN_EDGE = 0.011
"""The lips' own inner edge, left out of what counts as inside."""
ONE_ROW_GAP = 0.10
"""Mouths less open than this show too little of their teeth to be reused."""
OWN_REACH, OWN_SHARE = 0.75, 0.75
"""Teeth are a row if they show in OWN_SHARE of the columns between OWN_REACH of the way to either corner."""
TWO_ROWS_GAP = 0.25
"""Mouths less open than this show one row of teeth at most."""
BETWEEN_STEPS = 32
MIN_ROW_STEPS = 5
TOUCH_SHARES = 0.30, 0.85
"""How far down the opening rows that touch may meet."""
TOUCH_REACH, TOUCH_DEPTH = 0.05, 0.025
"""Where they do, the median column is darker by TOUCH_DEPTH of the teeth's light than the brightest places
within TOUCH_REACH (IOD) above and below."""
TOUCH_TEETH, TOUCH_PALE = 0.6, 0.6
"""Share of tooth on either side of it; teeth redder than this share of the skin cannot be told from lips."""
BETWEEN_DARK, ROW_BRIGHT = 0.25, 0.45
"""Share of tooth along the middle of the mouth, below which there is the dark between two rows, and above
which there is a row."""


def own_teeth(
    shape: MouthShape, frame: FaceFrame, ycc: F32, rect: Rect, skin: F64
) -> tuple[Teeth | None, Teeth | None]:
    """The upper and lower teeth that the photo `ycc` (H, W, 3) shows within `rect`; None for a hidden row.

    `skin` is the skin's Y, Cb, Cr: what is as red as skin is tongue or lip.
    """
    x, y = frame.coordinates(rect)
    top, bottom = shape.upper_y(x) + OPEN_EDGE, shape.lower_y(x) - OPEN_EDGE
    skip = 0.028 + 0.6 / frame.iod
    across = shape.across(x)
    core = (y > top + skip) & (y < bottom - skip) & (across < 0.9)
    patch = np.ascontiguousarray(ycc[rect.luma])
    if shape.gap < ONE_ROW_GAP or core.sum() <= 10:
        return None, None
    bright = float(np.percentile(patch[..., 0][core], 85))
    threshold = BLACK + 0.50 * (bright - BLACK)
    light = (bright - BLACK) / max(skin[0] - BLACK, 1.0)
    redness = float(np.median(patch[..., 2][core & (patch[..., 0] > threshold)])) - NEUTRAL
    if light < MIN_LIGHT or (light < SURE_LIGHT and redness > MAX_REDNESS * max(skin[2] - NEUTRAL, 1.0)):
        return None, None
    upper_seen, parting = _rows(shape, patch[..., 0], x, y, core & (across < 0.6), threshold)
    told_by_colour = redness < TOUCH_PALE * float(skin[2] - NEUTRAL)
    reddest = max(redness + REDNESS_SOFT, TOOTH_REDNESS * (redness + float(skin[2] - NEUTRAL)))
    enamel = smoothstep(threshold - 14, threshold + 14, patch[..., 0])
    enamel *= 1 - smoothstep(reddest, reddest + REDNESS_SOFT, patch[..., 2] - NEUTRAL)
    shown = _Shown(shape, frame, rect, patch, enamel, x, y)
    if parting == 1 and told_by_colour:
        parting = shown.touching(TOUCH_DEPTH * (bright - BLACK))
    part_y = top + np.float32(parting) * (bottom - top)
    highest, lowest = np.minimum(top + skip, part_y), np.maximum(bottom - skip, part_y)
    above, below = np.minimum(part_y, bottom - 0.5 * skip) - y, y - np.maximum(part_y, top + 0.5 * skip)
    return (
        shown.row(np.maximum(y, highest), above, parting, upper=True) if upper_seen else None,
        shown.row(np.minimum(y, lowest), below, parting, upper=False) if parting < 1 else None,
    )


@dataclass(frozen=True)
class _Shown:
    """What the photo shows between the lips: `patch` (h, w, 3) of it, and how surely it is tooth (h, w)."""

    shape: MouthShape
    frame: FaceFrame
    rect: Rect
    patch: F32
    enamel: F32
    x: F32
    y: F32

    def row(self, towards: F32, within: F32, parting: float, *, upper: bool) -> Teeth | None:
        """The row that is `within` > 0, with what lies under the lip taken from positions `towards`.

        None where too few teeth show for a row.
        """
        edge = self.biting_edge(parting, upper=upper)
        if edge is None:
            return None
        bite = np.float32(1 if upper else -1)  # which way teeth point; what has teeth there is their gum
        gums = [self.sampled(self.enamel, np.full_like(self.x, bite * share * GUMS)) for share in (0.5, 1)]
        cover = self.sampled(np.maximum(self.enamel, np.maximum(*gums)), towards - self.y)
        cover *= np.clip(within * self.frame.iod + 0.5, 0, 1)
        end = np.interp(self.x, *edge).astype(np.float32)
        cover *= smoothstep(-EDGE_SOFT, 0, bite * (end - self.y) + BITE_SLACK)
        for inward in (self.x - self.shape.upper[0, 0], self.shape.upper[-1, 0] - self.x):
            cover *= smoothstep(0, 0.05, inward)
        soft = blur(cover, max(0.5, 0.006 * self.frame.iod))
        return Teeth(self.sampled(self.patch, towards - self.y), np.clip(soft, 0, 1))

    def sampled(self, plane: F32, down: F32) -> F32:
        """`plane` looked up `down` IOD (h, w) further down the face."""
        across, along = pixel_grid(*self.rect.size)
        away = self.frame.vectors(np.zeros_like(down), down)
        return remap_float(plane, (across + away[..., 0], along + away[..., 1]))

    def between(self, x: F64, down: F64) -> tuple[F64, F32]:
        """y (n, m) at `x` (m,), a share `down` (n, m or 1) of the opening, and where that is in the patch."""
        y: F64 = np.interp(x, *self.shape.upper.T) * (1 - down) + np.interp(x, *self.shape.lower.T) * down
        at = self.frame.to_image(np.stack([np.broadcast_to(x, y.shape), y], axis=-1))
        return y, (at - [self.rect.x0, self.rect.y0]).astype(np.float32)

    def touching(self, depth: float) -> float:
        """How far down the opening two rows of teeth meet, in a line darker by `depth`; 1 if they do not."""
        shape = self.shape
        x = np.linspace(shape.upper[0, 0], shape.upper[-1, 0], BITE_COLUMNS)
        x = x[shape.across(x) < OWN_REACH]
        down = np.linspace(0, 1, BETWEEN_STEPS + 1)
        _, at = self.between(x, down[:, None])
        luma = remap_float(np.ascontiguousarray(self.patch[..., 0]), at)
        tooth = remap_float(self.enamel, at).mean(axis=1)
        reach = max(2, round(TOUCH_REACH * BETWEEN_STEPS / shape.gap))
        best, found = depth, 1.0
        for step in np.flatnonzero((down > TOUCH_SHARES[0]) & (down < TOUCH_SHARES[1])):
            above, below = slice(max(0, step - reach), step + 1), slice(step, step + reach + 1)
            sides = np.minimum(luma[above].max(axis=0), luma[below].max(axis=0))
            valley = float(np.median(sides - luma[step]))
            if valley > best and min(tooth[above].max(), tooth[below].max()) > TOUCH_TEETH:
                best, found = valley, float(down[step])
        return found

    def biting_edge(self, parting: float, *, upper: bool) -> F64 | None:
        """x and y (2, columns) of where a row ends, without single teeth and lights on the lip."""
        shape = self.shape
        x = np.linspace(shape.upper[0, 0], shape.upper[-1, 0], BITE_COLUMNS)
        down = np.linspace(0.0 if upper else 1.0, parting, BETWEEN_STEPS)[:, None]
        y, at = self.between(x, down)
        tooth = np.asarray(remap_float(self.enamel, at) > 0.5)
        seen = np.asarray(tooth.any(axis=0))
        if seen[shape.across(x) < OWN_REACH].mean() < OWN_SHARE:
            return None
        last = BETWEEN_STEPS - 1 - tooth[::-1].argmax(axis=0)
        end = np.interp(x, x[seen], y[last, np.arange(BITE_COLUMNS)][seen])
        reach = max(1, round(BITE_WINDOW * BITE_COLUMNS / (x[-1] - x[0]) / 2))
        for middle in (np.median, np.mean):
            windows = np.lib.stride_tricks.sliding_window_view(np.pad(end, reach, mode="edge"), 2 * reach + 1)
            end = middle(windows, axis=1)
        return np.stack([x, end])


def _rows(
    shape: MouthShape, luma: F32, x: F32, y: F32, where: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    threshold: float,
) -> tuple[bool, float]:  # fmt: skip
    """Whether upper teeth show, and how far down the opening the dark between two rows is; 1 without."""
    if shape.gap < TWO_ROWS_GAP:
        return True, 1.0
    top, bottom = shape.upper_y(x), shape.lower_y(x)
    down = ((y - top) / np.maximum(bottom - top, 1e-3))[where]
    step = np.clip((down * BETWEEN_STEPS).astype(int), 0, BETWEEN_STEPS - 1)
    pixels = np.bincount(step, minlength=BETWEEN_STEPS)
    tooth = np.bincount(step, luma[where] > threshold, BETWEEN_STEPS) / np.maximum(1, pixels)
    seen = pixels > 0
    rows = np.flatnonzero(seen & (tooth > ROW_BRIGHT))
    dark = np.flatnonzero(seen & (tooth < BETWEEN_DARK))
    low = rows[rows > dark.min(initial=BETWEEN_STEPS)]
    if len(low) < MIN_ROW_STEPS:
        return True, 1.0
    last = int(dark[dark < low[-1]].max())  # below it there are lower teeth only
    first = last
    while first - 1 in dark:
        first -= 1
    return bool(rows[0] < first), (first + last + 1) / 2 / BETWEEN_STEPS
