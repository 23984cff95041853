"""Validates YAML files against a JSON Schema, with readers that have nothing to do with pipectl's.

python schema.py SCHEMA FILE...

Prints a JSON object: for each file why it can not be read, or what the schema finds wrong with it, each mistake with the
lines that an editor would mark. The schema itself is held to the meta-schema of its draft.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import YAMLError


class Constructor(RoundTripConstructor):
    """Dates are no type of YAML 1.2."""


def text(constructor, node):
    return constructor.construct_scalar(node)


Constructor.add_constructor("tag:yaml.org,2002:timestamp", text)


def line_of(document, path):
    """Where the value stands that a path leads to, and where its key does."""
    lines = {1} if not path else set()
    parent, value, last = None, document, None
    for last in path:
        parent, value = value, value[last]
    if isinstance(parent, CommentedMap):
        lines.add(parent.lc.key(last)[0] + 1)
        lines.add(parent.lc.value(last)[0] + 1)
    elif isinstance(parent, CommentedSeq):
        lines.add(parent.lc.item(last)[0] + 1)
    if isinstance(value, (CommentedMap, CommentedSeq)):
        lines.add(value.lc.line + 1)
    return lines, value


def mistakes(document, error: ValidationError):
    lines, value = line_of(document, list(error.absolute_path))
    if isinstance(value, CommentedMap):
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            lines |= {value.lc.key(key)[0] + 1 for key in value if key not in known}
        if isinstance(error.instance, str) and error.instance in value:
            # A key that its own schema refuses.
            lines.add(value.lc.key(error.instance)[0] + 1)
        if error.validator in ("oneOf", "maxProperties"):
            lines |= {value.lc.key(key)[0] + 1 for key in value}
    yield {"lines": sorted(lines), "message": error.message[:200], "rule": error.validator}
    for inner in error.context or []:
        yield from mistakes(document, inner)


def judge(validator, path):
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = Constructor
    try:
        with Path(path).open(encoding="utf-8") as file:
            document = yaml.load(file)
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        return {"unreadable": str(error).splitlines()[0]}
    errors = validator.iter_errors(document)
    return {"mistakes": [mistake for error in errors for mistake in mistakes(document, error)]}


def main(schema, *files):
    with Path(schema).open(encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    print(json.dumps({path: judge(validator, path) for path in files}))


main(*sys.argv[1:])
