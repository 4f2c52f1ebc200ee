from __future__ import annotations

import json

import pytest

from datavc.core.paths import RepoPath
from datavc.formats import stagefile
from datavc.pipeline.editor import editor_line, schema_text

SCHEMA = json.loads(schema_text())
REFUSED = {"checks", "datasets"}


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        (SCHEMA, stagefile.TOP_KEYS.keys() - REFUSED),
        (SCHEMA["$defs"]["stage"], stagefile.STAGE_KEYS.keys() - REFUSED),
        (SCHEMA["$defs"]["matrix"], (stagefile.STAGE_KEYS.keys() - REFUSED) | {"matrix"}),
        (SCHEMA["$defs"]["foreach"], {"foreach", "do"}),
        (SCHEMA["$defs"]["out"], stagefile.OUT_KEYS.keys()),
        (SCHEMA["$defs"]["plotOut"], stagefile.PLOT_OUT_KEYS.keys()),
        (SCHEMA["$defs"]["plot"], stagefile.PLOT_DEFINITION_KEYS.keys()),
        (SCHEMA["$defs"]["artifact"], stagefile.ARTIFACT_KEYS.keys()),
    ],
)
def test_the_schema_knows_the_keys_that_the_reader_knows(
    part: dict[str, object], keys: set[str]
) -> None:
    assert isinstance(part["properties"], dict)
    assert part["properties"].keys() == keys
    assert part["additionalProperties"] is False


def test_every_reference_leads_somewhere() -> None:
    text = schema_text()

    for name in SCHEMA["$defs"]:
        assert f'"#/$defs/{name}"' in text
    assert {part.split('"')[0] for part in text.split("#/$defs/")[1:]} == set(SCHEMA["$defs"])


def test_the_editors_line_leads_to_the_projects_copy() -> None:
    assert editor_line(RepoPath("datavc.yaml")).endswith("$schema=.datavc/datavc.schema.json\n")
    assert "$schema=../../.datavc/" in editor_line(RepoPath("a/b/datavc.yaml"))
