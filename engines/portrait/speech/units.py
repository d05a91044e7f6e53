"""The sounds the recogniser tells apart: those of English and Mandarin that differ on the lips.

Sounds that look the same (p and b, t and d) share a unit; the same inventory serves both languages,
so that mixed speech needs no switch.
"""

UNITS = (
    "sil",
    "m",
    "p",  # p, b
    "f",  # f, v
    "w",
    "r",  # English r
    "l",
    "t",  # t, d
    "n",
    "s",  # s, z; pinyin s, z, c
    "sh",  # sh, zh, ch, j; pinyin sh, zh, ch, r
    "x",  # pinyin x, j, q
    "th",
    "k",  # k, g
    "h",  # h, pinyin h, aspiration
    "ng",
    "y",  # the glide
    "i",
    "ih",
    "e",  # the vowel of "bed", pinyin ie, ei
    "ae",
    "a",  # the vowel of "father", pinyin a
    "uh",  # schwa, the vowel of "cup", pinyin e
    "o",
    "u",
    "v",  # pinyin ü
    "er",
    "ii",  # the vowel of pinyin zi, zhi
)

UNIT_INDEX = {name: index for index, name in enumerate(UNITS)}

BILABIALS = ("m", "p")
