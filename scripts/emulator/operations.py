"""The operation that a request calls, and the error format of its service, both from botocore's service models."""

import json
import re
from functools import cache
from typing import Any, List, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from botocore.exceptions import UnknownServiceError

# moto's names of services where they differ from botocore's
_BOTOCORE_NAMES = {"applicationautoscaling": "application-autoscaling", "resourcegroupstaggingapi": "resourcegroupstaggingapi"}
_XML_AT_REST = {"s3", "s3control", "route53", "cloudfront"}


def signed_for(authorization: str) -> Optional[str]:
    """The service in the request's signature."""
    found = re.search(r"Credential=[^/,]+/\d+/[^/]+/([^/]+)/aws4_request", authorization)
    return found.group(1) if found else None


def name_of(service: str, request: Any) -> str:
    """The operation's name as AWS writes it; method and path if it is not in the service's model."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    action = request.args.get("Action") or request.form.get("Action")
    if action:
        return action
    asked = {key for key, _ in parse_qsl(request.query_string.decode(), keep_blank_values=True)}
    for path, fixed, headers, name in _routes(_BOTOCORE_NAMES.get(service, service), request.method):
        if fixed <= asked and path.fullmatch(request.path) and all(header in request.headers for header in headers):
            return name
    return f"{request.method} {request.path}"


@cache
def _routes(service: str, method: str) -> List[Tuple[Any, frozenset, Tuple[str, ...], str]]:
    """The service's REST operations with a method: path, query keys of the URI, required headers, name; the most specific first."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return []
    routes = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        http = operation.http
        if http.get("method", "POST") != method:
            continue
        address = urlsplit(http.get("requestUri", "/"))
        path = re.sub(r"\\\{[^}]+\\\+\\\}|\\\{[^}]+\\\}", lambda hole: ".+" if "\\+" in hole.group() else "[^/]+", re.escape(address.path))
        fixed = frozenset(key for key, _ in parse_qsl(address.query, keep_blank_values=True))
        routes.append((re.compile(path.rstrip("/") + "/?"), fixed, _required_headers(operation.input_shape), name, len(address.path)))
    routes.sort(key=lambda route: (-len(route[1]), -len(route[2]), -route[4], route[3]))
    return [route[:4] for route in routes]


def _required_headers(shape: Any) -> Tuple[str, ...]:
    """Operations with the same URI can differ in a header: CopyObject and PutObject."""
    members = [shape.members[name] for name in shape.required_members] if shape else []
    return tuple(member.serialization["name"] for member in members if member.serialization.get("location") == "header")


def error_body(service: str, request: Any, message: str) -> Tuple[str, str]:
    """The error NotImplemented in the format of the service's protocol, with the content type."""
    code, text = "NotImplemented", escape(message)
    if service == "ec2":
        return f"<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors></Response>", "text/xml"
    if service == "s3":
        return f"<Error><Code>{code}</Code><Message>{text}</Message></Error>", "application/xml"
    if service in _XML_AT_REST or "x-www-form-urlencoded" in (request.content_type or ""):
        error = f"<Error><Type>Receiver</Type><Code>{code}</Code><Message>{text}</Message></Error>"
        return f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>", "text/xml"
    return json.dumps({"__type": code, "message": message}), "application/json"
