"""The files of docker/: they parse, their settings are ones that this binary takes, and their numbers fit together."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from harness.process import BINARY, REPOSITORY, run

DOCKER = REPOSITORY / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
MANIFESTS = list(yaml.safe_load_all((DOCKER / "kubernetes" / "sidecar.yaml").read_text()))


def manifest(kind, name):
    return next(m for m in MANIFESTS if m["kind"] == kind and m["metadata"]["name"] == name)


def pod():
    return manifest("Deployment", "dashboard")["spec"]["template"]["spec"]


def container(name):
    return next(c for c in pod()["containers"] if c["name"] == name)


def sidecar_settings():
    return manifest("ConfigMap", "sightglass")["data"]["sightglass.yaml"]


def dockerfile_list(instruction):
    """The last ENTRYPOINT or CMD in its JSON form."""
    return yaml.safe_load(re.findall(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.M)[-1])


def seconds(duration):
    return float(re.fullmatch(r"(\d+)s", duration)[1])


def sleep_before_stop(name):
    command = container(name)["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    return float(command[1])


def sample_settings():
    return {
        "compose": (DOCKER / "sample" / "sightglass.yaml").read_text(),
        "kubernetes": sidecar_settings(),
    }


@pytest.mark.parametrize("which", ["compose", "kubernetes"])
def test_the_sample_settings_pass_the_check(which, tmp_path):
    settings = yaml.safe_load(sample_settings()[which])
    if "token_file" in settings.get("inspector", {}):
        token = tmp_path / "token"
        token.write_text("a-token\n")
        settings["inspector"]["token_file"] = str(token)
    path = tmp_path / "sightglass.yaml"
    path.write_text(yaml.safe_dump(settings))
    checked = run("--check", "--config", str(path))
    assert checked.returncode == 0, checked.stderr


def test_every_flag_and_environment_name_is_in_the_help():
    help_text = run("--help").stdout
    used = [
        *dockerfile_list("CMD"),
        *COMPOSE["services"]["sightglass"]["command"],
        *container("sightglass")["args"],
    ]
    flags = {word for word in used if word.startswith("--")}
    environment = {*COMPOSE["services"]["sightglass"]["environment"]}
    flags |= {"--" + e.removeprefix("SIGHTGLASS_").lower().replace("_", "-") for e in environment}
    flags |= set(re.findall(r"sightglass (--[a-z-]+)", DOCKERFILE))
    assert {"--config", "--demo", "--listen", "--inspector-token"} <= flags
    for flag in flags:
        assert re.search(rf"{flag}\b", help_text), flag


def test_the_probes_and_prometheus_ask_where_they_are_answered():
    settings = yaml.safe_load(sidecar_settings())
    sidecar = container("sightglass")
    [port, admin] = sidecar["ports"]
    assert settings["listen"] == [f":{port['containerPort']}"]
    assert settings["admin"]["listen"] == [f":{admin['containerPort']}"]
    for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
        assert sidecar[probe]["httpGet"] == {"path": path, "port": admin["name"]}
    annotations = manifest("Deployment", "dashboard")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(admin["containerPort"])
    assert annotations["prometheus.io/path"] == "/metrics"
    [service_port] = manifest("Service", "dashboard")["spec"]["ports"]
    assert service_port["targetPort"] == port["name"]
    assert f"EXPOSE {port['containerPort']}" in DOCKERFILE
    assert COMPOSE["services"]["dashboard"]["ports"] == [f"8080:{port['containerPort']}"]


def test_every_mounted_file_is_where_the_settings_look_for_it():
    sidecar = container("sightglass")
    mounted = {m["mountPath"]: m["name"] for m in sidecar["volumeMounts"]}
    volumes = {v["name"]: v for v in pod()["volumes"]}
    token_file = pathlib.PurePath(yaml.safe_load(sidecar_settings())["inspector"]["token_file"])
    config_file = pathlib.PurePath(sidecar["args"][sidecar["args"].index("--config") + 1])
    assert "secret" in volumes[mounted[str(token_file.parent)]]
    config_map = volumes[mounted[str(config_file.parent)]]["configMap"]["name"]
    assert config_file.name in manifest("ConfigMap", config_map)["data"]
    for volume in COMPOSE["services"]["sightglass"]["volumes"]:
        source, target, _ = volume.split(":")
        assert (DOCKER / source).exists()
        assert target in COMPOSE["services"]["sightglass"]["command"]


def test_the_grace_periods_leave_time_to_drain():
    drain = seconds(yaml.safe_load(sidecar_settings())["timeouts"]["drain"])
    end_of_the_sidecar = sleep_before_stop("sightglass") + drain
    assert sleep_before_stop("dashboard") > end_of_the_sidecar, "the dashboard goes first"
    assert pod()["terminationGracePeriodSeconds"] > sleep_before_stop("dashboard")
    settings = yaml.safe_load(sample_settings()["compose"])
    grace = seconds(COMPOSE["services"]["sightglass"]["stop_grace_period"])
    assert grace > seconds(settings["timeouts"]["drain"])


def test_the_sidecar_runs_without_rights():
    context = container("sightglass")["securityContext"]
    assert pod()["securityContext"]["runAsNonRoot"]
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    user = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.M)[-1]
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user[0]), int(user[1]))
    assert int(user[0]) > 0
    assert dockerfile_list("ENTRYPOINT") == ["sightglass"]


def test_the_image_is_built_of_every_folder_that_the_build_adds():
    cmake = (REPOSITORY / "CMakeLists.txt").read_text()
    floors = re.search(r"foreach\(floor ([a-z ]+)\)", cmake)[1].split()
    allowed = re.findall(r"^!(.+?)/?$", (DOCKER / "Dockerfile.dockerignore").read_text(), re.M)
    assert set(floors) | {"cmake", "main.c", "CMakeLists.txt", "CMakePresets.json"} <= set(allowed)
    for path in allowed:
        assert (REPOSITORY / path).exists(), path


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="the image is Debian's")
@pytest.mark.skipif(
    os.environ.get("SIGHTGLASS_SANITIZED") == "1", reason="sanitizers bring libraries of their own"
)
def test_the_image_installs_the_libraries_that_the_program_loads():
    installed = set(re.findall(r"\bz?lib[a-z0-9.+-]+", DOCKERFILE.split("\nFROM ")[-1]))
    dynamic = subprocess.run(["objdump", "-p", BINARY], capture_output=True, text=True, check=True)
    needed = set(re.findall(r"NEEDED +(\S+)", dynamic.stdout))
    assert needed
    packages = set()
    for library in needed:
        owner = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True)
        packages |= set(re.findall(r"^([^:,\s]+)[:,]", owner.stdout, re.M)[:1])
    assert packages - {"libc6"} == installed
