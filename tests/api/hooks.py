"""What schemathesis cannot know: the token, which is in the environment; and that each deed has a key of its own, as a
program gives it, where it would send the same short one with all of them. Keys that are none stay as they are, and a
request that is to come without a token has none."""

import os
import re
import uuid

import schemathesis


def is_without_token(case):
    data = getattr(getattr(case.meta, "phase", None), "data", None)
    parameter = getattr(data, "parameter", None) or ""
    scenario = str(getattr(data, "scenario", "")).lower()
    return parameter.lower() == "authorization" and "missing" in scenario


@schemathesis.auth()
class Token:
    def get(self, case, context):
        return os.environ["FECHA_TOKEN"]

    def set(self, case, token, context):
        if not is_without_token(case):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers
    key = headers.get("Idempotency-Key") if headers else None
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,200}", key):
        headers["Idempotency-Key"] = uuid.uuid4().hex
