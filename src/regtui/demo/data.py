"""What the demo's models learn from: reviews, pictures of digits, a shop's sales; all made up.

Made from seeds, so that the same demo always learns the same.
"""

import math
from random import Random

from regtui.demo.learners import Example, Vector

_GOOD = "great lovely superb fast sturdy gorgeous reliable charming crisp happy perfect smooth"
_BAD = "awful broken slow flimsy ugly noisy useless rude stale sad defective rough"
_PLAIN = (
    "the a it was is my this box phone book shoe lamp kettle arrived after before with and very "
    "quite really again today yesterday week friend bought used colour price size"
)
_GLYPHS = (
    "01110 10001 10011 10101 11001 10001 01110", "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111", "01110 10001 00001 00110 00001 10001 01110",
    "00010 00110 01010 10010 11111 00010 00010", "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110", "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110", "01110 10001 10001 01111 00001 00010 01100",
)  # fmt: skip
WORDS = 48
"""Length of a review's vector."""

PIXELS = 35
"""Length of a picture's vector."""

LAGS = 8
"""Length of a week's vector."""


def reviews(count: int, seed: int, *, noise: float = 0.12) -> list[Example]:
    """Return reviews as counts of hashed words; class 1 is a good one."""
    random = Random(seed)  # noqa: S311 -- no secret
    made = []
    for _ in range(count):
        label = random.randrange(2)
        words = random.choices(_PLAIN.split(), k=random.randint(4, 9))
        for _ in range(random.randint(1, 3)):
            is_odd = random.random() < noise
            words.append(random.choice((_GOOD if label != is_odd else _BAD).split()))
        made.append((_counted(words), label))
    return made


def digits(count: int, seed: int, *, noise: float = 0.1) -> list[Example]:
    """Return noisy pictures of digits, 5 by 7 pixels."""
    random = Random(seed)  # noqa: S311 -- no secret
    made = []
    for _ in range(count):
        label = random.randrange(10)
        pixels = [int(pixel) for pixel in _GLYPHS[label].replace(" ", "")]
        made.append(([abs((random.random() < noise) - p) * 1.0 for p in pixels], label))
    return made


def sales(weeks: int, seed: int) -> list[tuple[Vector, float]]:
    """Return a week's sales by those of the weeks before it."""
    random = Random(seed)  # noqa: S311 -- no secret
    course = [
        1 + 0.4 * math.sin(week / 8.3) + 0.15 * math.sin(week / 1.9) + random.gauss(0, 0.08)
        for week in range(weeks + LAGS)
    ]
    return [(course[week : week + LAGS], course[week + LAGS]) for week in range(weeks)]


def _counted(words: list[str]) -> Vector:
    found = [0.0] * WORDS
    for word in words:
        # `hash` differs from run to run.
        found[sum(place * ord(char) for place, char in enumerate(word, 3)) % WORDS] += 1.0
    return found
