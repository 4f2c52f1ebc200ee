"""Writes the images of handwritten digits that scikit-learn ships: `digits.py FILE`."""

import csv
import sys

from sklearn.datasets import load_digits

digits = load_digits()
with open(sys.argv[1], "w", newline="", encoding="utf-8") as stream:
    rows = csv.writer(stream)
    rows.writerow(["digit", *digits.feature_names])
    rows.writerows(
        [digit, *map(int, pixels)]
        for digit, pixels in zip(digits.target, digits.data, strict=True)
    )
