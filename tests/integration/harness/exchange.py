"""One request through the proxy and back, where a test is about what became of the two messages."""

from harness.messages import build_response

FINE = build_response(200, body=b"fine")


def exchange(proxy, origin, *fields, method=b"GET", target=b"/", answer=FINE, **more):
    """Asks on a connection of its own; the upstream answers `answer`. Returns (request upstream,
    answer at the client)."""
    client = proxy.connect()
    client.request(method, target, *fields, **more)
    peer, request = origin.next_request()
    peer.send(answer)
    response = client.read_response(method)
    client.close()
    return request, response


def raw_exchange(proxy, origin, raw, answer=FINE, method=b"GET"):
    """The same for a request that is written out in full."""
    client = proxy.connect()
    client.send(raw)
    peer, request = origin.next_request()
    peer.send(answer)
    response = client.read_response(method)
    client.close()
    return request, response
