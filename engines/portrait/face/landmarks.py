"""Names for the points of the 468-point face mesh that the engine uses.

The numbering is that of MediaPipe Face Mesh (canonical_face_model). Curves that run across the face
are listed from the image's left to its right for an upright, unmirrored photo.
"""

CHIN = 152
NOSE_BASE = 2
NOSE_ROOT = 168
UPPER_LIP_INNER, LOWER_LIP_INNER = 13, 14
MOUTH_CORNER_A, MOUTH_CORNER_B = 61, 291

EYE_CORNERS_A, EYE_CORNERS_B = (33, 133), (362, 263)
"""Outer and inner corner of the eye on the image's left; inner and outer of the one on its right."""

INNER_UPPER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
INNER_LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
OUTER_LOWER_LIP = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
OUTER_UPPER_LIP = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]

EYE_A_UPPER = [33, 246, 161, 160, 159, 158, 157, 173, 133]
EYE_A_LOWER = [33, 7, 163, 144, 145, 153, 154, 155, 133]
EYE_B_UPPER = [362, 398, 384, 385, 386, 387, 388, 466, 263]
EYE_B_LOWER = [362, 382, 381, 380, 374, 373, 390, 249, 263]
BROW_A = [46, 53, 52, 65, 55]
BROW_B = [285, 295, 282, 283, 276]
UNDER_EYE_A = [230, 231, 229, 119, 118]
UNDER_EYE_B = [450, 451, 449, 348, 347]

CHEEKS = [50, 280, 205, 425, 199]
"""Points on plain skin, for the skin's colour."""

OVAL = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
