"""
Why a body breaks its schema, in a few words and at once.

`schema.problems` tells it better and takes a second to be imported, which a guest at a table would notice.
"""

from __future__ import annotations

import json

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from epos_conformance import _suite, schema


#: A body with a thousand faults is told by its first few.
MOST = 3


@cache
def _registry() -> jsonschema_rs.Registry:
    shapes = map(_suite.read_json, (_suite.FIXTURES / "contracts" / "shapes").glob("*.json"))
    return jsonschema_rs.Registry([(each["$id"], each) for each in shapes])


@cache
def _validator(text: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(text), registry=_registry(), validate_formats=True)


def faults_in(wanted: Mapping[str, Any], body: Any) -> list[str]:
    """
    What is wrong with *body*, none where it is valid; raises ValueError where it holds what no text can.
    """
    if schema.is_valid(wanted, body):
        return []
    errors = list(_validator(json.dumps(wanted)).iter_errors(body))
    return [f"{_path(each.instance_path)}: {schema.shorten(each.message)}" for each in errors[:MOST]]


def _path(parts: list[str | int]) -> str:
    return "$" + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in parts)
