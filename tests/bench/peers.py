"""One job: how each peer is set up: the origin, nginx as a proxy, Sightglass captured and excluded. Tuned as a good admin would, access logs off."""

import os

from processes import free_port

NGINX_COMMON = """
worker_processes 1; daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_max_body_size 0;
    client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi; uwsgi_temp_path {folder}/{name}-uwsgi; scgi_temp_path {folder}/{name}-scgi;
"""

ORIGIN = NGINX_COMMON + """
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        root {folder}/files;
        location = /small {{ return 200 "{small}"; }}
    }}
}}
"""

PROXY = NGINX_COMMON + """
    proxy_buffers 16 16k; proxy_buffer_size 16k;
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 512; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-ID $request_id;
        }}
    }}
}}
"""

SIGHTGLASS = """
listen: ["127.0.0.1:{port}"]
workers: 1
log: {{access: false}}
upstreams:
  - {{name: origin, url: "http://127.0.0.1:{origin}", pool: {{max_connections: 512, max_idle: 512}}}}
routes:
  - {{prefix: /, capture: {capture}}}
"""


def nginx(workplace, name, text, core, **values):
    port = free_port()
    path = workplace.write(f"{name}.conf", text.format(folder=workplace.folder, name=name, port=port, **values))
    return workplace.start(name, ["nginx", "-c", path, "-p", workplace.folder], port, core)


def origin(workplace, core):
    files = os.path.join(workplace.folder, "files")
    os.mkdir(files)
    for name, size in (("16k", 16 * 1024), ("1m", 1024 * 1024)):
        with open(os.path.join(files, name), "wb") as out:
            out.write(os.urandom(size))
    return nginx(workplace, "origin", ORIGIN, core, small="x" * 100)


def nginx_proxy(workplace, core, origin_port):
    return nginx(workplace, "nginx", PROXY, core, origin=origin_port)


def sightglass(workplace, core, origin_port, binary, name, capture):
    port = free_port()
    path = workplace.write(f"{name}.yaml", SIGHTGLASS.format(port=port, origin=origin_port, capture=capture))
    return workplace.start(name, [binary, "--config", path], port, core)
