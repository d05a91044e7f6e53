"""How a portrait plays its text: the dials that a prompt turns and a seed varies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Performance:
    """A way of playing. The defaults are a friendly, attentive speaker."""

    smile: float = 0.0
    """-1 (corners down) .. 1 (broad smile)."""
    brow: float = 0.0
    """-1 (lowered and knit) .. 1 (raised)."""
    eyes: float = 0.0
    """-1 (narrowed) .. 1 (wide open)."""
    mouth: float = 1.0
    """Scale of the mouth's movement."""
    head: float = 1.0
    """Scale of the head's movement."""
    accent: float = 1.0
    """Scale of what follows the voice: nods and brows on stressed syllables."""
    nods: float = 0.0
    """Deliberate nods, 0 .. 1: how large; about one every two and a half seconds."""
    shakes: float = 0.0
    """Deliberate shakes of the head, 0 .. 1."""
    tilt: float = 0.0
    """Head tilted aside, radians."""
    blink_rate: float = 1.0
    """Scale of the blinks' frequency."""
    gaze: float = 1.0
    """Scale of the eyes' wandering; 0 looks at the camera throughout."""
