"""A server that answers as a Kubernetes API does, as far as the tests go: TLS, whoever has the
right token or certificate, pods, a watch of them, and their logs; and kubeconfigs that lead there."""

import base64
import http.server
import json
import threading
import time

import yaml

PODS = {
    "kind": "PodList",
    "apiVersion": "v1",
    "metadata": {"resourceVersion": "7"},
    "items": [{"metadata": {"name": "web-0", "namespace": "default"}}],
}
EVENTS = [{"type": kind, "object": {"metadata": {"name": "web-1"}}} for kind in ("ADDED", "DELETED")]
LOG = b"first line\nsecond line\n"


class KubernetesApi:
    def __init__(self, authority, token=None, client_certificate=False):
        """Answers who bears `token` (a set of them, or one), or anybody that TLS let in."""
        self.tokens = {token} if isinstance(token, str) else token
        self.requests = []
        self.opened = 0
        context = authority.server(wants=authority if client_certificate else None)
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                api.opened += 1

            def log_message(self, *_):
                pass

            def send_json(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def stream(self, pieces):
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in pieces:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                    time.sleep(0.05)
                self.wfile.write(b"0\r\n\r\n")

            def do_GET(self):
                authorization = self.headers.get_all("Authorization") or []
                api.requests.append((self.path, authorization))
                if api.tokens is not None and authorization not in [
                    [f"Bearer {token}"] for token in api.tokens
                ]:
                    self.send_json(401, {"kind": "Status", "reason": "Unauthorized"})
                elif self.path == "/api/v1/pods":
                    self.send_json(200, PODS)
                elif self.path == "/api/v1/pods?watch=1":
                    self.stream(json.dumps(event).encode() + b"\n" for event in EVENTS)
                elif self.path == "/api/v1/namespaces/default/pods/web-0/log":
                    self.stream(LOG.splitlines(keepends=True))
                else:
                    self.send_json(404, {"kind": "Status", "reason": "NotFound"})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def data_of(path):
    return base64.b64encode(path.read_bytes()).decode()


def user_of(certificate):
    return {
        "client-certificate-data": data_of(certificate.certificate),
        "client-key-data": data_of(certificate.key),
    }


def write_kubeconfig(path, authority, server, user):
    """As k3s does: everything is called default, and lies inline."""
    cluster = {"certificate-authority-data": data_of(authority.ca.certificate), "server": server}
    whole = {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": "default"}],
        "contexts": [{"context": {"cluster": "default", "user": "default"}, "name": "default"}],
        "current-context": "default",
        "kind": "Config",
        "preferences": {},
        "users": [{"name": "default", "user": user}],
    }
    path.write_text(yaml.safe_dump(whole))
    return f"kubeconfig:{path}"
