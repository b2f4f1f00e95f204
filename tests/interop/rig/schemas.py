# SPDX-License-Identifier: MIT
"""The schemas of etc/schema, which are the contract with scripts, and which of them a test has held an answer against."""

import datetime
import glob
import json
import os
import warnings

import jsonschema

from .place import ROOT

FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value):
    return not isinstance(value, str) or datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None


class Schemas:
    def __init__(self):
        paths = glob.glob(os.path.join(ROOT, "etc", "schema", "*.json"))
        self._schemas = {os.path.basename(path).removesuffix(".json"): _read(path) for path in paths}
        self.unused = set(self._schemas)
        store = {f"{name}.json": schema for name, schema in self._schemas.items()}
        with warnings.catch_warnings():  # what replaces it is not in Debian 12
            warnings.simplefilter("ignore", DeprecationWarning)
            self._resolvers = {name: jsonschema.RefResolver(f"{name}.json", schema, store)
                               for name, schema in self._schemas.items()}
        for schema in self._schemas.values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def check(self, name, text):
        """The value of a JSON text that must be as the schema says, and would not be with one member more."""
        value, validator = json.loads(text), self._validator(name)
        complaints = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]
        assert not complaints, f"{name}: {complaints}\n{text}"
        assert not validator.is_valid(value | {"undocumented": 1}), f"{name}.json allows what it does not mention"
        self.unused.discard(name)
        return value

    def check_lines(self, name, text):
        """The same for an object a line; there must be one."""
        values = [self.check(name, line) for line in text.splitlines()]
        assert values, f"nothing to hold against {name}.json"
        return values

    def _validator(self, name):
        return jsonschema.Draft202012Validator(self._schemas[name], resolver=self._resolvers[name], format_checker=FORMATS)


def _read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
