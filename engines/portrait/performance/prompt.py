"""Reading a prompt: expression and movement words in Chinese and English.

Words, not sentences, are understood: each known word turns dials of the performance, and a strength word
before or after it ("很", "a little") says how far. Negations cancel ("不要眨眼", "no smile"). Whatever is
not known is ignored, because prompts are written for many engines.
"""

import re
from dataclasses import dataclass, replace

from engines.base import Note
from engines.portrait.performance.dials import Performance

Dials = dict[str, float]


@dataclass(frozen=True)
class Word:
    """A thing one can ask for: its `name` in both languages, its spellings, and the dials it turns."""

    name: str
    pattern: str
    dials: Dials


WORDS = (
    Word(
        "微笑 smile",
        r"微笑|笑容|带笑|含笑|笑着|面带笑|开心|高兴|快乐|愉快|喜悦|愉悦|友好|亲切|热情|温暖|"
        r"\b(?:smil\w*|happy|happily|joy\w*|cheer\w*|friendly|warm(?:ly)?|grin\w*)\b",
        {"smile": 0.60, "eyes": -0.20},
    ),
    Word(
        "大笑 laugh",
        r"大笑|哈哈|\b(?:laugh\w*)\b",
        {"smile": 0.95, "eyes": -0.45, "head": 1.25, "brow": 0.2},
    ),
    Word(
        "严肃 serious",
        r"严肃|认真|庄重|正经|正式|专业|稳重|\b(?:serious\w*|solemn\w*|formal\w*|stern\w*|professional\w*)\b",
        {"smile": -0.30, "brow": -0.45, "head": 0.65, "accent": 0.8},
    ),
    Word(
        "生气 angry",
        r"生气|愤怒|恼火|发怒|\b(?:angry|angrily|anger|furious\w*|mad)\b",
        {"smile": -0.60, "brow": -1.0, "eyes": -0.35, "accent": 1.4, "mouth": 1.1},
    ),
    Word(
        "难过 sad",
        r"难过|悲伤|伤心|忧伤|忧郁|沮丧|\b(?:sad\w*|sorrow\w*|unhappy|melanchol\w*|depressed)\b",
        {"smile": -0.75, "brow": 0.25, "eyes": -0.45, "head": 0.6, "mouth": 0.85, "accent": 0.6},
    ),
    Word(
        "惊讶 surprised",
        r"惊讶|吃惊|惊喜|震惊|诧异|\b(?:surpris\w*|amaz\w*|astonish\w*|shock\w*)\b",
        {"brow": 1.0, "eyes": 1.0, "accent": 1.2},
    ),
    Word(
        "激动 lively",
        r"激动|兴奋|活泼|生动|有活力|充满活力|激情|夸张|"
        r"\b(?:lively|excit\w*|energetic\w*|animated|enthusias\w*|passionate\w*|vivid\w*|expressive\w*)\b",
        {"head": 1.9, "accent": 2.0, "mouth": 1.15, "smile": 0.20, "brow": 0.25, "blink_rate": 1.25},
    ),
    Word(
        "平静 calm",
        r"平静|冷静|沉稳|安静|温柔|柔和|放松|淡定|自然|"
        r"\b(?:calm\w*|quiet\w*|gentl[ey]|soft(?:ly)?|relax\w*|peaceful\w*|natural\w*)\b",
        {"head": 0.45, "accent": 0.45, "blink_rate": 0.75, "gaze": 0.5},
    ),
    Word("点头 nod", r"点头|点点头|颔首|\b(?:nod|nods|nodding|nodded)\b", {"nods": 0.75}),
    Word(
        "摇头 shake",
        r"摇头|摇摇头|\b(?:shak(?:e|es|ing)(?:\s+(?:the|his|her|their|your))?(?:\s+head)?)\b",
        {"shakes": 0.75},
    ),
    Word("歪头 tilt", r"歪头|侧头|偏头|\b(?:tilt\w*)\b", {"tilt": 0.075}),
    Word("眨眼 blink", r"眨眼|眨眨眼|眨动|\b(?:blink\w*|wink\w*)\b", {"blink_rate": 2.2}),
    Word(
        "看镜头 look at the camera",
        r"看着?镜头|直视|注视|面向镜头|看向?前方|看着我|正视|"
        r"\b(?:look\w*\s+(?:straight\s+)?(?:at|into|to)\s+(?:the\s+)?(?:camera|lens|viewer|me)|eye\s+contact)\b",
        {"gaze": 0.0},
    ),
    Word("不动 still", r"不动|静止|保持不动|\b(?:still|motionless|steady)\b", {"head": 0.12, "accent": 0.2}),
    Word("皱眉 frown", r"皱眉|\b(?:frown\w*)\b", {"brow": -0.9}),
    Word("挑眉 raise brows", r"挑眉|扬眉|\b(?:rais\w+\s+(?:\w+\s+)?(?:eye)?brows?)\b", {"brow": 0.8}),
)

STRENGTHS = (
    (
        (
            r"非常|特别|极其|十分|超级|强烈|用力|大幅|频繁|不停|"
            r"\b(?:very|extremely|strong(?:ly)?|really|big|broad(?:ly)?|wide(?:ly)?|often|constantly|a lot)\b"
        ),
        1.5,
    ),
    (r"很|更|多|\b(?:quite|more|clearly)\b", 1.25),
    (
        (
            r"轻轻|轻微|微微|稍微|稍稍|稍|略微|略|有点儿?|有些|一点|淡淡|偶尔|"
            r"\b(?:slight(?:ly)?|a\s+(?:little|bit)|a\s+touch|subtl[ey]|faint(?:ly)?|light(?:ly)?|gently|"
            r"somewhat|occasionally|sometimes)\b"
        ),
        0.5,
    ),
)
NEGATION = (
    r"不要|不许|不需要|不必|不再|别|勿|没有|无|不|\b(?:no|not|don'?t|do\s+not|without|never|avoid|stop)\b"
)
REACH = 14
"""How many characters before a word a strength or negation may stand."""
CLAUSE_END = re.compile(r"[，。；、,.;!?！？\n]|\b(?:and|but|then)\b|并且?|但|然后|而且")
NEUTRAL = Performance()
LIMITS = {
    "smile": (-1.0, 1.0), "brow": (-1.0, 1.0), "eyes": (-1.0, 1.0), "mouth": (0.7, 1.3), "head": (0.1, 2.4),
    "accent": (0.1, 2.6), "nods": (0.0, 1.2), "shakes": (0.0, 1.2), "tilt": (-0.12, 0.12),
    "blink_rate": (0.4, 3.0), "gaze": (0.0, 1.5),
}  # fmt: skip


@dataclass(frozen=True)
class Understanding:
    """The performance asked for, and the names of the words understood, with their strength."""

    performance: Performance
    words: tuple[str, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """One remark for the user, or none when nothing was understood."""
        return (Note("prompt_understood", {"words": ", ".join(self.words)}),) if self.words else ()


def understand(prompt: str) -> Understanding:
    """Read `prompt`; never raises. Several words add up; a repeated word counts once, at its strongest."""
    text = prompt.lower()
    found: list[tuple[int, Word, float]] = []
    for word in WORDS:
        strengths = [(match.start(), _strength(text, match)) for match in re.finditer(word.pattern, text)]
        if strengths:
            start, strength = max(strengths, key=lambda item: abs(item[1]))
            found.append((start, word, strength))
    found.sort(key=lambda item: item[0])
    performance, names = NEUTRAL, []
    for _, word, strength in found:
        performance = _turn(performance, word, strength)
        names.append(word.name + _shown(strength))
    return Understanding(performance, tuple(names))


def _strength(text: str, match: re.Match[str]) -> float:
    """The factor for one mention: 1, or what the strength words around it say; 0 when negated."""
    before = CLAUSE_END.split(text[max(0, match.start() - REACH) : match.start()])[-1]
    after = CLAUSE_END.split(text[match.end() : match.end() + REACH])[0]
    if re.search(NEGATION, before):
        return 0.0
    nearest: list[tuple[int, float]] = []
    for pattern, factor in STRENGTHS:
        nearest += [(len(before) - found.end(), factor) for found in re.finditer(pattern, before)]
        nearest += [(found.start(), factor) for found in re.finditer(pattern, after)]
    if nearest:
        return min(nearest)[1]
    return 1.0


def _shown(strength: float) -> str:
    if strength == 0:
        return " (none)"
    return "" if strength == 1 else f" (×{strength:g})"


def _turn(performance: Performance, word: Word, strength: float) -> Performance:
    changes = {}
    for dial, value in word.dials.items():
        neutral, current = getattr(NEUTRAL, dial), getattr(performance, dial)
        if strength == 0:
            changes[dial] = _refused(dial, current)
        else:
            low, high = LIMITS[dial]
            changes[dial] = min(high, max(low, current + (value - neutral) * strength))
    return replace(performance, **changes)


def _refused(dial: str, current: float) -> float:
    """A dial after its word was negated: "no blinking" turns it down, "no smile" leaves it neutral."""
    return LIMITS[dial][0] if dial == "blink_rate" else min(current, getattr(NEUTRAL, dial))
