"""nginx as a real upstream: files, ranges, gzip, validators, TLS. Its own folder, port and process."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from harness.wire import DEADLINE_S

CONFIG = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    sendfile on;
    keepalive_requests 1000000;
    gzip on;
    gzip_types text/css application/javascript text/plain;
    gzip_min_length 100;
    gzip_proxied any;
    server {{
        listen 127.0.0.1:{port}{tls};
        root {folder}/html;
        location / {{ add_header X-Connection $connection; }}
        location /moved/ {{ return 302 /index.html; }}
        location /small {{ add_header X-Connection $connection always; return 200 "small"; }}
        location /tls {{
            add_header X-Connection $connection;
            return 200 "$ssl_protocol $ssl_session_reused $ssl_server_name $ssl_client_serial";
        }}
        location /put/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
    }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def find_nginx():
    """Where distributions keep it is not always in a user's PATH."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")
    assert found, "nginx is not installed"
    return found


class Nginx:
    def __init__(self, folder, certificate=None, *directives):
        """Over TLS where there is a certificate; `directives` of its configuration then say more."""
        self.folder = pathlib.Path(folder)
        self.html = self.folder / "html"
        self.html.mkdir()
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        config = self.folder / "nginx.conf"
        tls = " ssl" + "".join(
            f";\n        {directive}"
            for directive in (
                f"ssl_certificate {certificate.certificate}",
                f"ssl_certificate_key {certificate.key}",
                *directives,
            )
        ) if certificate else ""
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, tls=tls))
        self.process = subprocess.Popen(
            [find_nginx(), "-p", self.folder, "-c", config, "-e", self.folder / "error.log"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._wait_until_it_listens()

    def _wait_until_it_listens(self):
        end = time.monotonic() + DEADLINE_S
        while True:
            assert self.process.poll() is None, self.process.stderr.read().decode()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end, "nginx does not listen"
                time.sleep(0.02)

    def write(self, name, content):
        path = self.html / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)
        return content

    def close(self):
        self.process.terminate()
        self.process.wait(DEADLINE_S)
        self.process.stderr.close()
