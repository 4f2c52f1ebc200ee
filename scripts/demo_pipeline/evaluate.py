"""Judges the model by images that it has never seen."""

import csv
import json

import joblib
import numpy as np
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score, roc_curve

model = joblib.load("model.joblib")
with np.load("features/test.npz") as arrays:
    x, y = arrays["x"], arrays["y"]
chances = model.predict_proba(x)
predicted = model.classes_[chances.argmax(axis=1)]

with open("metrics.json", "w", encoding="utf-8") as stream:
    scores = {
        "accuracy": accuracy_score(y, predicted),
        "f1": f1_score(y, predicted, average="macro"),
        "auc": roc_auc_score(y, chances, multi_class="ovr"),
    }
    json.dump({name: round(float(score), 4) for name, score in scores.items()}, stream, indent=2)
with open("confusion.csv", "w", newline="", encoding="utf-8") as stream:
    rows = csv.writer(stream)
    rows.writerow(["actual", "predicted"])
    rows.writerows(zip(y.tolist(), predicted.tolist(), strict=True))
with open("roc.json", "w", encoding="utf-8") as stream:
    is_digit = (y[:, None] == model.classes_).ravel()
    fpr, tpr, _ = roc_curve(is_digit, chances.ravel())
    json.dump([{"fpr": float(a), "tpr": float(b)} for a, b in zip(fpr, tpr, strict=True)], stream)
