"""Holds DPS against the official schema that nfelib ships, and reads them back by its bindings.

Usage: read.py FILE...  Prints a JSON list: of each file what the schema has against it, and what it says.
"""

import dataclasses
import json
import sys
from pathlib import Path

import nfelib.nfse
from lxml import etree
from nfelib.nfse.bindings.v1_0.dps_v1_01 import Dps
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

SCHEMA = Path(nfelib.nfse.__file__).parent / "schemas/v1_0/DPS_v1.01.xsd"


def plain(value):
    """A binding as what JSON has; what is not there is left out."""
    if dataclasses.is_dataclass(value):
        fields = {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return {name: one for name, one in fields.items() if one not in (None, [], {})}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "value"):
        return plain(value.value)
    return value if value is None or isinstance(value, (str, int)) else str(value)


def main():
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
    parser = XmlParser(config=ParserConfig(fail_on_unknown_properties=True))
    read = []
    for name in sys.argv[1:]:
        data = Path(name).read_bytes()
        schema.validate(etree.fromstring(data))
        errors = [f"{error.path}: {error.message}" for error in schema.error_log]
        dps = parser.from_bytes(data, Dps)
        read.append({"errors": errors, "dps": plain(dps)["infDPS"]})
    json.dump(read, sys.stdout)


if __name__ == "__main__":
    main()
