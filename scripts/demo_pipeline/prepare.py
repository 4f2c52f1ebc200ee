"""Splits the images into those to learn from and those to judge by."""

from pathlib import Path

import yaml
from sklearn.model_selection import train_test_split

params = yaml.safe_load(Path("params.yaml").read_text())["prepare"]
header, *rows = Path("digits.csv").read_text().splitlines()
train, test = train_test_split(
    rows,
    test_size=params["test_share"],
    random_state=params["seed"],
    stratify=[row.partition(",")[0] for row in rows],
)
Path("split").mkdir(exist_ok=True)
for name, part in (("train", train), ("test", test)):
    Path("split", f"{name}.csv").write_text("\n".join([header, *part]) + "\n")
    print(f"{name}: {len(part)} images")
