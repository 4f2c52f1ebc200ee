"""Turns pixels into few features: the principal components of the images to learn from."""

from pathlib import Path

import numpy as np
import yaml
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

params = yaml.safe_load(Path("params.yaml").read_text())["featurise"]
tables = {
    name: np.loadtxt(f"split/{name}.csv", delimiter=",", skiprows=1) for name in ("train", "test")
}
digest = make_pipeline(StandardScaler(), PCA(params["components"], random_state=0))
digest.fit(tables["train"][:, 1:])
Path("features").mkdir(exist_ok=True)
for name, table in tables.items():
    np.savez(f"features/{name}.npz", x=digest.transform(table[:, 1:]), y=table[:, 0].astype(int))
print(f"{digest[-1].explained_variance_ratio_.sum():.0%} of the variance is kept")
