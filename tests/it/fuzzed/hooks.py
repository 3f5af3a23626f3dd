"""What Schemathesis is told of a ledger beyond the OpenAPI document: who and what is there, so that it reaches more than
"not found", and how media types that it does not know are read and written. Nothing here makes the document say less."""

import json
import os
import re
import zlib

import schemathesis

with open(os.environ["ROLLBOOK_FUZZED_KNOWN"], encoding="utf-8") as file:
    # position, members, determinations, files, file, plans, providers, views, events, rulebook, purpose, schemas
    KNOWN = json.load(file)

NDJSON = "application/x-ndjson"
METHODS = ("get", "post", "put", "delete")
# What a parameter is taken from half of the time, by its place and name.
PARAMETERS = {
    ("path", "member"): KNOWN["members"],
    ("path", "determination"): KNOWN["determinations"],
    ("path", "view"): KNOWN["views"],
    ("path", "code"): ["behind", "rejected"],
    ("path", "name"): ["submission.json", "enrolled.v1.json"],
    ("query", "at_least"): [KNOWN["position"]],
    ("query", "known_at"): [str(KNOWN["position"])],
    ("query", "plan"): KNOWN["plans"],
    ("query", "provider"): KNOWN["providers"],
}
CURSOR = re.compile(r"[A-Za-z0-9_-]{1,2048}")


def also(schema, values):
    """The same schema, from which these values of it are taken as often as any others."""
    if schema.get("type") == "array":
        return {**schema, "items": also(schema["items"], values)}
    return {"anyOf": [{"enum": values}, schema]}


def submissions():
    """Submissions of each kind by their own schemas, which the document only names."""
    sensitivity = inlined(KNOWN["schemas"]["submission.json"], {})["properties"]["sensitivity"]
    for name, schema in KNOWN["schemas"].items():
        if name == "submission.json":
            continue
        fields = {
            "kind": {"const": name.partition(".")[0]},
            "data": inlined(schema, {}),
            "member": {"enum": KNOWN["members"]},
            "plan": {"enum": KNOWN["plans"]},
            "county": {"enum": ["los-angeles", "orange"]},
            "sensitivity": sensitivity,
            "occurred_at": {"enum": ["2022-03-04", "2022-03-04T10:00:00-08:00"]},
        }
        required = ["kind", "plan", "county", "occurred_at", "data", "member"]
        yield {"type": "object", "additionalProperties": False, "properties": fields, "required": required}


def inlined(schema, definitions):
    """A schema with each definition where it is meant; none of the ledger's means itself."""
    if isinstance(schema, list):
        return [inlined(inner, definitions) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    definitions = schema.get("$defs", definitions)
    if all(isinstance(one, dict) and "const" in one for one in schema.get("oneOf", [0])):
        return {"enum": [one["const"] for one in schema["oneOf"]]}
    if "$ref" in schema:
        return inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: inlined(value, definitions) for name, value in schema.items() if name not in ("$defs", "$schema")}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for path, item in raw_schema["paths"].items():
        for operation in (item[method] for method in METHODS if method in item):
            for parameter in operation.get("parameters", []):
                values = PARAMETERS.get((parameter["in"], parameter["name"]))
                if parameter["name"] == "file":
                    values = KNOWN["files"] if operation is item["get"] else ["events"]
                if values:
                    parameter["schema"] = also(parameter["schema"], values)
                    one = [values[0]] if parameter["schema"].get("type") == "array" else values[0]
                    parameter["examples"] = {"known": {"value": one}}
            for answer in operation["responses"].values():
                # A schema of NDJSON is that of a line.
                content = answer.get("content", {})
                if NDJSON in content and content[NDJSON]["schema"] != {"type": "string"}:
                    content[NDJSON] = {"schema": {"type": "array", "items": content[NDJSON]["schema"]}}
    bodies = {path: item["post"]["requestBody"]["content"] for path, item in raw_schema["paths"].items()
              if "requestBody" in item.get("post", {})}
    events = bodies["/v1/events"]["application/json"]
    events["schema"] = {"anyOf": [*submissions(), {"enum": KNOWN["events"]}, events["schema"]]}
    events["examples"] = {f"event {number}": {"value": event} for number, event in enumerate(KNOWN["events"])}
    for content, value in (
        (bodies["/v1/rulebook/compare"]["application/toml"], KNOWN["rulebook"]),
        (bodies["/v1/intake/{file}"]["application/octet-stream"], KNOWN["file"]),
    ):
        content["schema"] = also(content["schema"], [value])
        content["examples"] = {"known": {"value": value}}


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation
    chance = zlib.crc32(case.id.encode())
    if KNOWN["purpose"] and case.headers.get("Rollbook-Purpose") in (None, "legal_proceeding"):
        case.headers["Rollbook-Purpose"] = KNOWN["purpose"]
    query = case.query if isinstance(case.query, dict) else {}
    # A cursor that nobody gave is refused before anything else is looked at.
    if chance % 8 and isinstance(query.get("cursor"), str) and CURSOR.fullmatch(query["cursor"]):
        del query["cursor"]
    # Whoever waits for more of the feed waits for ever.
    if operation.path == "/v1/feed" and query.get("wait", True) in (True, "true"):
        query["wait"] = "false"
    # Every representation, by turns.
    offered = operation.definition.raw["responses"].get("200", {}).get("content", {})
    if len(offered) > 1 and "Accept" not in case.headers:
        case.headers["Accept"] = sorted(offered)[chance // 8 % len(offered)]


@schemathesis.deserializer(NDJSON)
def lines(context, response):
    return [json.loads(line) for line in response.content.decode().splitlines()]


@schemathesis.deserializer("text/csv", "text/event-stream")
def text(context, response):
    return response.content.decode()


@schemathesis.serializer("application/toml")
def toml(context, value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
