"""Holds reports against the schemas that others publish: check.py SARIF-SCHEMA JUNIT-SCHEMA FOLDER."""

import json
import pathlib
import sys

import jsonschema
import xmlschema

sarif_schema, junit_schema, folder = sys.argv[1:]
with open(sarif_schema, encoding="utf-8-sig") as file:
    schema = json.load(file)
sarif = jsonschema.validators.validator_for(schema)(schema)
junit = xmlschema.XMLSchema(junit_schema)
# A schema that finds nothing wrong proves nothing.
assert list(sarif.iter_errors({"version": "2.1.0", "runs": [{}]})), "the SARIF schema takes a run without a tool"
assert list(junit.iter_errors("<testsuites><case/></testsuites>")), "the JUnit schema takes anything"
wrong, reports = [], 0
for path in sorted(pathlib.Path(folder).iterdir()):
    if path.suffix == ".sarif":
        log = json.loads(path.read_text(encoding="utf-8"))
        found = [f"{error.json_path}: {error.message:.200}" for error in sarif.iter_errors(log)]
    else:
        found = [f"{error.path}: {error.reason}" for error in junit.iter_errors(str(path))]
    wrong += [f"{path.name}: {error}" for error in found[:5]]
    reports += 1
print("\n".join(wrong) or f"schemas: {reports} reports are as their schemas say")
sys.exit(1 if wrong or reports < 8 else 0)
