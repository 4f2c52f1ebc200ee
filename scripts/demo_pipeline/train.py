"""Trains a small neural network, epoch by epoch, and notes how it goes."""

from pathlib import Path

import joblib
import numpy as np
import yaml
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from datavc import live

params = yaml.safe_load(Path("params.yaml").read_text())["train"]
with np.load("features/train.npz") as arrays:
    x, y = arrays["x"], arrays["y"]
model = MLPClassifier((32,), learning_rate_init=params["rate"], random_state=params["seed"])
with live.start():
    for _ in range(params["epochs"]):
        model.partial_fit(x, y, classes=np.unique(y))
        live.log_metric("loss", log_loss(y, model.predict_proba(x)))
        live.log_metric("accuracy", model.score(x, y))
        live.next_step()
joblib.dump(model, "model.joblib")
