"""The inspector's API as a dashboard on the same machine reads it."""

import http.client
import json
import urllib.parse

from harness.wire import DEADLINE_S, until


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Inspector:
    def __init__(self, host, port, prefix="/_inspector", context=None):
        """`context`: an ssl.SSLContext, where it is asked over TLS."""
        self.host, self.port, self.prefix, self.context = host, port, prefix, context

    def _connect(self):
        if self.context is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=DEADLINE_S)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=DEADLINE_S, context=self.context
        )

    def ask(self, method, path, headers=None, body=None):
        """`path` below the prefix: "/api/requests". Headers are exactly these, and a Host unless
        given."""
        connection = self._connect()
        try:
            connection.request(method, self.prefix + path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, {k.replace("_", "-"): v for k, v in headers.items()})

    def json(self, path):
        answer = self.get(path)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json()

    def list(self, **query):
        """Summaries, newest first."""
        return self.json("/api/requests?" + urllib.parse.urlencode(query))["items"]

    def detail(self, request_id):
        return self.json("/api/requests/" + urllib.parse.quote(str(request_id), safe=""))

    def record(self, request_id, state="complete"):
        """The record of the request with this ID, once it is in this state (None: in whichever)."""
        quoted = urllib.parse.quote(request_id, safe="")

        def found():
            answer = self.get("/api/requests/" + quoted)
            if answer.status == 404:
                return None
            assert answer.status == 200, (answer.status, answer.body)
            record = answer.json()
            return record if state is None or record["state"] == state else None

        return until(found, f"a record of {request_id} in state {state}")

    def body(self, request_id, side, query=""):
        quoted = urllib.parse.quote(request_id, safe="")
        return self.get(f"/api/requests/{quoted}/{side}-body{query}")
