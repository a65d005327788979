"""Writes tests/golden/agreement.json: Krippendorff's alpha of ratings, as the `krippendorff`
package for Python computes it. The test golden_agreement.rs holds the archive to it.

    pip install krippendorff==0.8.1
    python tests/python/agreement.py > tests/golden/agreement.json
"""

import json

import krippendorff
import numpy

CASES = 120
VALUES = {"nominal": 5, "ordinal": 3}


class Dice:
    """Numbers that are the same with every version of everything."""

    def __init__(self) -> None:
        self.state = 1

    def roll(self, sides: int) -> int:
        self.state = self.state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        return (self.state >> 33) % sides


def units(dice: Dice, values: int) -> list[list[int]]:
    """Ratings by unit, some of them missing, of coders who agree more or less."""
    coders, careless = 2 + dice.roll(5), 1 + dice.roll(4)
    rated = []
    for _ in range(2 + dice.roll(12)):
        truth = dice.roll(values)
        present = [coder for coder in range(coders) if dice.roll(4)]
        rated.append([truth if dice.roll(careless) else dice.roll(values) for _ in present])
    return rated


def alpha(scale: str, rated: list[list[int]]) -> float | None:
    """None where it is not defined."""
    paired = [unit for unit in rated if len(unit) > 1]
    if len(paired) < 2 or len({value for unit in paired for value in unit}) < 2:
        return None
    values = range(VALUES[scale])
    counts = numpy.array([[unit.count(value) for value in values] for unit in rated])
    return krippendorff.alpha(
        value_counts=counts, value_domain=list(values), level_of_measurement=scale
    )


dice = Dice()
lines = []
while len(lines) < CASES:
    scale = ["nominal", "ordinal"][len(lines) % 2]
    rated = units(dice, VALUES[scale])
    found = alpha(scale, rated)
    if found is not None:
        case = {"scale": scale, "alpha": round(float(found), 9), "units": rated}
        lines.append(json.dumps(case))
print("[\n" + ",\n".join(lines) + "\n]")
