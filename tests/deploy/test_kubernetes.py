"""The Kubernetes manifests, without a cluster."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.acceptance.application import Application
from tests.deploy.files import KUBERNETES, ROOT, VERSION, manifest, manifests, pods
from webapp.settings import load_settings

OLDEST = "1.29"
"""The oldest Kubernetes that the files are checked for; the newest is what the schemas have."""

FILES = [p for p in sorted(KUBERNETES.rglob("*.yaml")) if p.name != "kustomization.yaml"]
KUSTOMIZATIONS = sorted(KUBERNETES.rglob("kustomization.yaml"))
APPLIED = ["migration", "servers", "autoscaler"]
PODS = dict(pods())
each_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    [found] = pod["containers"]
    return dict(found)


@pytest.mark.parametrize("version", [(), ("-k", OLDEST)], ids=["newest", "oldest"])
def test_they_follow_kubernetes_own_schemas(version: tuple[str, ...]) -> None:
    # KEDA's resource is none of Kubernetes'.
    files = [path for path in FILES if path.name != "scaledobject.yaml"]
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", *version, *map(str, files)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" passed ") == 7


@pytest.mark.parametrize("folder", APPLIED)
def test_kustomize_puts_them_together(folder: str) -> None:
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("no kubectl")

    done = subprocess.run(
        [kubectl, "kustomize", KUBERNETES / folder], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    documents = list(yaml.safe_load_all(done.stdout))
    assert all(each["metadata"]["namespace"] == "webapp" for each in documents)
    # A name that a generator has made is put in wherever it is used.
    assert "configMapRef:\n            name: settings\n" not in done.stdout


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_a_kustomization_names_every_file_beside_it_and_no_other(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    generated = [file for map_ in document.get("configMapGenerator", ()) for file in map_["envs"]]
    named = {*document.get("resources", ()), *generated}

    assert named == {each.name for each in path.parent.iterdir()} - {path.name}
    for component in document.get("components", ()):
        assert (path.parent / component / "kustomization.yaml").exists()


def test_the_version_is_the_projects() -> None:
    release = yaml.safe_load((KUBERNETES / "release" / "kustomization.yaml").read_text("utf-8"))
    [image] = release["images"]

    assert image["newTag"] == VERSION
    assert {container(pod)["image"] for pod in PODS.values()} == {image["name"]}


@each_pod
def test_a_pod_has_no_rights(pod: Mapping[str, Any]) -> None:
    of_pod, own = pod["securityContext"], container(pod)["securityContext"]

    assert of_pod["runAsNonRoot"]
    assert f"USER {of_pod['runAsUser']}:{of_pod['runAsGroup']}" in (ROOT / "Dockerfile").read_text()
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["readOnlyRootFilesystem"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


@each_pod
def test_a_pod_has_a_limit_of_memory_and_its_secrets_as_files(pod: Mapping[str, Any]) -> None:
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounted = {mount["name"]: mount["mountPath"] for mount in container(pod)["volumeMounts"]}

    assert mounted.keys() == volumes.keys()
    assert mounted["secrets"] == "/run/secrets/webapp"
    assert volumes["secrets"]["secret"]["secretName"] == "webapp"
    assert container(pod)["resources"]["limits"].keys() == {"memory"}
    # No secret is in a file of the project.
    assert not [each for each in manifests() if each["kind"] == "Secret"]


@pytest.mark.parametrize("name", ["api", "jobqueue"])
def test_probes_ask_where_the_server_answers(name: str) -> None:
    own = container(PODS[name])
    [port] = own["ports"]
    template = manifest("Deployment", name)["spec"]["template"]
    asked = {probe: own[probe]["httpGet"] for probe in own if probe.endswith("Probe")}

    assert {probe: found["path"] for probe, found in asked.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {found["port"] for found in asked.values()} == {port["name"]}
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    # The job server takes five seconds to find that its event loop does not turn.
    assert own["livenessProbe"]["timeoutSeconds"] > 5


def test_a_handler_that_blocks_the_event_loop_is_given_the_time_of_an_attempt() -> None:
    probe = container(PODS["jobqueue"])["livenessProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] >= load_settings({}).retry.timeout
    for variable in container(PODS["jobqueue"])["env"]:
        host, _, port = variable["value"].rpartition(":")
        assert (host, int(port)) == (
            "0.0.0.0",
            container(PODS["jobqueue"])["ports"][0]["containerPort"],
        )


@pytest.mark.parametrize("name", ["api", "jobqueue"])
def test_selectors_find_the_pods(name: str) -> None:
    deployment = manifest("Deployment", name)["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    [spread] = deployment["template"]["spec"]["topologySpreadConstraints"]

    for selector in (
        deployment["selector"],
        manifest("PodDisruptionBudget", name)["spec"]["selector"],
        spread["labelSelector"],
    ):
        assert selector["matchLabels"] == labels
    if name == "api":
        assert manifest("Service", name)["spec"]["selector"] == labels


def paths_for_users(url: str) -> set[str]:
    """What the running API server tells of itself, by its description and its page."""
    described = httpx.get(f"{url}/openapi.json", trust_env=False).json()["paths"]
    page = httpx.get(f"{url}/", trust_env=False, follow_redirects=True)
    linked = re.findall(r'(?:src|href)="(/[^"?#]*)', page.text)
    return {"/", "/openapi.json", page.url.path, *described, *linked}


def is_let_in(path: str) -> bool:
    [rule] = manifest("Ingress", "api")["spec"]["rules"]
    for entry in rule["http"]["paths"]:
        prefix = entry["path"]
        if path == prefix or (entry["pathType"] == "Prefix" and path.startswith(f"{prefix}/")):
            return True
    return False


def test_the_ingress_lets_in_all_that_is_for_users_and_nothing_of_the_operators(
    composed: Application,
) -> None:
    users, operators = paths_for_users(composed.url), ("/metrics", "/healthz", "/readyz")

    assert users >= {"/dm-jobqueue", "/api/dm-jobqueue/register", "/static/page.css"}
    assert not [path for path in users if not is_let_in(path)]
    for path in operators:
        assert httpx.get(f"{composed.url}{path}", trust_env=False).status_code == 200
        assert not is_let_in(path)


def test_the_ingress_leads_to_the_api_server() -> None:
    [rule] = manifest("Ingress", "api")["spec"]["rules"]
    [port] = manifest("Service", "api")["spec"]["ports"]

    for entry in rule["http"]["paths"]:
        assert entry["backend"] == {"service": {"name": "api", "port": {"name": port["name"]}}}


def test_the_autoscaler_counts_jobs_by_slots_and_takes_no_answer_for_a_failure() -> None:
    spec = manifest("ScaledObject", "jobqueue")["spec"]
    [trigger] = spec["triggers"]

    assert spec["scaleTargetRef"] == {
        "name": manifest("Deployment", "jobqueue")["metadata"]["name"]
    }
    assert "replicas" not in manifest("Deployment", "jobqueue")["spec"]
    assert int(trigger["metadata"]["threshold"]) == load_settings({}).worker.concurrency
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    assert re.fullmatch(r"http://[a-z.]+:9090", trigger["metadata"]["serverAddress"])
