"""A strict reader of HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/).

It mends nothing: what the format does not have, lacks, or forbids is an AssertionError, and so is
what contradicts itself.
"""

import base64
import datetime
import json
import math
import urllib.parse


class Field:
    def __init__(self, check, optional=False):
        self.check, self.optional = check, optional


def text(value):
    assert isinstance(value, str), value


def number(value):
    assert type(value) in (int, float) and value >= 0, value


def whole(value):
    assert type(value) is int and value >= 0, value


def any_whole(value):
    assert type(value) is int, value


def whole_or_unknown(value):
    assert type(value) is int and value >= -1, value


def time_or_none(value):
    assert value == -1 or (type(value) in (int, float) and value >= 0), value


def moment(value):
    text(value)
    parsed = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    assert parsed.tzinfo is not None, "startedDateTime without a time zone"


def absolute_url(value):
    text(value)
    parts = urllib.parse.urlsplit(value)
    assert parts.scheme in ("http", "https") and parts.hostname, value
    assert "#" not in value, "fragments are not included"
    assert value.isascii() and value.isprintable() and " " not in value, value


def empty(value):
    assert value == {}, value


def each(check):
    def check_all(values):
        assert isinstance(values, list), values
        for value in values:
            check(value)

    return check_all


def members(**fields):
    """An object with exactly these; those that begin with '_' are anybody's own."""

    def check(value):
        assert isinstance(value, dict), value
        for name, field in fields.items():
            if name in value:
                field.check(value[name])
            else:
                assert field.optional, f"no {name} in {sorted(value)}"
        unknown = [name for name in value if name not in fields and not name.startswith("_")]
        assert not unknown, f"not of the format: {unknown}"

    return check


def need(check):
    return Field(check)


def may(check):
    return Field(check, optional=True)


COMMENT = {"comment": may(text)}
PAIR = members(name=need(text), value=need(text), **COMMENT)
COOKIE = members(
    name=need(text),
    value=need(text),
    path=may(text),
    domain=may(text),
    expires=may(moment),
    httpOnly=may(bool),
    secure=may(bool),
    **COMMENT,
)
PARAM = members(
    name=need(text), value=may(text), fileName=may(text), contentType=may(text), **COMMENT
)
POST_DATA = members(mimeType=need(text), params=may(each(PARAM)), text=need(text), **COMMENT)
REQUEST = members(
    method=need(text),
    url=need(absolute_url),
    httpVersion=need(text),
    cookies=need(each(COOKIE)),
    headers=need(each(PAIR)),
    queryString=need(each(PAIR)),
    postData=may(POST_DATA),
    headersSize=need(whole_or_unknown),
    bodySize=need(whole_or_unknown),
    **COMMENT,
)
CONTENT = members(
    size=need(whole),
    compression=may(any_whole),
    mimeType=need(text),
    text=may(text),
    encoding=may(text),
    **COMMENT,
)
RESPONSE = members(
    status=need(whole),
    statusText=need(text),
    httpVersion=need(text),
    cookies=need(each(COOKIE)),
    headers=need(each(PAIR)),
    content=need(CONTENT),
    redirectURL=need(text),
    headersSize=need(whole_or_unknown),
    bodySize=need(whole_or_unknown),
    **COMMENT,
)
TIMINGS = members(
    blocked=may(time_or_none),
    dns=may(time_or_none),
    connect=may(time_or_none),
    send=need(number),
    wait=need(number),
    receive=need(number),
    ssl=may(time_or_none),
    **COMMENT,
)
ENTRY = members(
    pageref=may(text),
    startedDateTime=need(moment),
    time=need(number),
    request=need(REQUEST),
    response=need(RESPONSE),
    cache=need(empty),
    timings=need(TIMINGS),
    serverIPAddress=may(text),
    connection=may(text),
    **COMMENT,
)
NAMED = members(name=need(text), version=need(text), **COMMENT)
LOG = members(
    version=need(text),
    creator=need(NAMED),
    browser=may(NAMED),
    pages=may(each(text)),
    entries=need(each(ENTRY)),
    **COMMENT,
)


def check_timings(entry):
    timings = entry["timings"]
    parts = ("blocked", "dns", "connect", "send", "wait", "receive")
    total = sum(max(timings.get(part, -1), 0) for part in parts)
    assert math.isclose(entry["time"], total, abs_tol=0.0015), entry
    if timings.get("ssl", -1) >= 0:  # a part of `connect`
        assert timings["connect"] >= timings["ssl"], timings


def check_query(request):
    """The parameters are those of the URL."""
    query = urllib.parse.urlsplit(request["url"]).query
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    assert [(p["name"], p["value"]) for p in request["queryString"]] == pairs, request


def check_form(request):
    """A form's parameters are those of its text."""
    data = request.get("postData", {})
    form = "application/x-www-form-urlencoded"
    if "params" in data:
        assert data["mimeType"].partition(";")[0].strip().lower() == form
        pairs = [pair.partition("=")[::2] for pair in data["text"].split("&") if pair]
        assert [(p["name"], p["value"]) for p in data["params"]] == pairs, data


def check_content(response):
    content = response["content"]
    assert content.get("encoding", "base64") == "base64"
    if response["bodySize"] >= 0:
        compression = content.get("compression", 0)
        assert content["size"] - compression == response["bodySize"], response
    if "text" in content and "comment" not in content:
        assert len(body_of(content)) == content["size"], content


def body_of(content):
    """The bytes of a `content`, or of a `postData` with our own `_encoding`."""
    if content.get("encoding", content.get("_encoding")) == "base64":
        return base64.b64decode(content["text"], validate=True)
    return content["text"].encode()


def read_har(raw):
    """The entries of an archive, checked."""

    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    archive = json.loads(raw.decode("utf-8"), parse_constant=no_constant)
    members(log=need(LOG))(archive)
    log = archive["log"]
    assert log["version"] == "1.2"
    for entry in log["entries"]:
        check_timings(entry)
        check_query(entry["request"])
        check_form(entry["request"])
        check_content(entry["response"])
    return log
