"""An engine on another machine, over TLS: the same verdicts; and who may not talk to it is told why."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...cli.command import run as edittool
from ...engines import PrivateEngine, private_engine
from ...other_engines import skip_without
from ..same_verdicts import EXPECTED, judge, verdicts

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True)


def make_authority(folder: Path) -> None:
    folder.mkdir()
    openssl("req", "-x509", *KEY, "-subj", "/CN=authority", "-keyout", folder / "ca-key.pem", "-out", folder / "ca.pem")


def make_certificate(folder: Path, name: str, usage: str) -> None:
    """Write NAME.pem, signed by the authority in `folder`, and NAME-key.pem."""
    request, extensions = folder / "request", folder / "extensions"
    extensions.write_text(f"subjectAltName=IP:127.0.0.1\nextendedKeyUsage={usage}\n")
    openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", folder / f"{name}-key.pem", "-out", request)
    signer = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca-key.pem", "-CAcreateserial", "-days", 2)
    openssl("x509", "-req", "-in", request, *signer, "-extfile", extensions, "-out", folder / f"{name}.pem")


def client_folder(folder: Path) -> Path:
    """Make a client's certificate by a new authority, and name the files as Docker's clients look for them."""
    make_authority(folder)
    make_certificate(folder, "cert", "clientAuth")
    (folder / "cert-key.pem").rename(folder / "key.pem")
    return folder


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    skip_without("openssl")
    folder = client_folder(tmp_path_factory.mktemp("tls") / "lab")
    make_certificate(folder, "server", "serverAuth")
    return folder


@pytest.fixture(scope="module")
def engine(certificates: Path, sandbox_archive: Path) -> Iterator[tuple[PrivateEngine, dict[str, str]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    flags = {"tlscacert": "ca", "tlscert": "server", "tlskey": "server-key"}
    tls = [f"--{flag}={certificates / name}.pem" for flag, name in flags.items()]
    environment = {"DOCKER_HOST": address, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    with private_engine("--tlsverify", *tls, f"--host={address}", image=sandbox_archive) as started:
        yield started, environment


def test_an_engine_over_tls_finds_what_any_other_finds(
    engine: tuple[PrivateEngine, dict[str, str]], tmp_path: Path, bench_folder: Path
) -> None:
    """The environment's own certificates, which are for the web, do not take the place of the engine's."""
    started, environment = engine
    (tmp_path / "web.pem").write_text((Path(environment["DOCKER_CERT_PATH"]) / "server.pem").read_text())
    done = judge(tmp_path, bench_folder, **environment, REQUESTS_CA_BUNDLE=str(tmp_path / "web.pem"))
    assert done.returncode == 0, done.stderr
    assert verdicts(tmp_path) == EXPECTED
    assert started.container_ids() == []


def test_without_tls(engine: tuple[PrivateEngine, dict[str, str]]) -> None:
    _, environment = engine
    done = edittool("doctor", "--json", **environment | {"DOCKER_TLS_VERIFY": "", "DOCKER_CERT_PATH": ""})
    assert done.returncode == 3
    assert "it wants TLS" in done.stdout
    assert "set DOCKER_TLS_VERIFY=1" in done.stdout


def test_without_certificates(engine: tuple[PrivateEngine, dict[str, str]], tmp_path: Path, bench_folder: Path) -> None:
    _, environment = engine
    done = judge(tmp_path, bench_folder, **environment | {"DOCKER_CERT_PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "the TLS settings are incomplete" in done.stderr
    assert "ca.pem, cert.pem and key.pem" in done.stderr


@pytest.mark.parametrize("forged", ["ca.pem", "cert.pem"])
def test_with_wrong_certificates(
    engine: tuple[PrivateEngine, dict[str, str]], tmp_path: Path, bench_folder: Path, forged: str
) -> None:
    """Of an authority that did not sign the engine's certificate, or not the client's."""
    _, environment = engine
    other = client_folder(tmp_path / "other")
    keep = ["ca.pem"] if forged == "cert.pem" else ["cert.pem", "key.pem"]
    for name in keep:
        (other / name).write_bytes((Path(environment["DOCKER_CERT_PATH"]) / name).read_bytes())
    done = judge(tmp_path, bench_folder, **environment | {"DOCKER_CERT_PATH": str(other)})
    assert done.returncode == 3
    assert "TLS failed" in done.stderr
    assert "check DOCKER_TLS_VERIFY, DOCKER_CERT_PATH" in done.stderr
    assert "Traceback" not in done.stderr
