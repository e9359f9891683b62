"""Certificates for one proof: an authority of its own, a server's that holds, and one that is over. Made by openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SETTINGS: Final = """
[ca]
default_ca = proof
[proof]
dir = {folder}
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
x509_extensions = server
copy_extensions = none
[any]
commonName = supplied
[server]
subjectAltName = IP:127.0.0.1, DNS:localhost
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[req]
distinguished_name = name
prompt = no
[name]
commonName = a proof's own authority
"""
VALID: Final = ("20200101000000Z", "21000101000000Z")
OVER: Final = ("20200101000000Z", "20210101000000Z")
KEY: Final = ("-newkey", "rsa:2048", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificates:
    """`authority` is what a client trusts; the others hold a server's certificate and its key."""

    authority: Path
    valid: Path
    expired: Path


def make_certificates(folder: Path) -> Certificates:
    """Into that folder. Raises FileNotFoundError where openssl is not on this computer."""
    if shutil.which("openssl") is None:
        raise FileNotFoundError("openssl is not on this computer: install it to make certificates.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = folder / "settings"
    settings.write_text(SETTINGS.format(folder=folder), encoding="utf-8")
    (folder / "index").touch()
    (folder / "index.attr").write_text("unique_subject = no\n", encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    authority, key = folder / "authority.pem", folder / "authority.key"
    made = ("-x509", "-days", "36500", "-extensions", "authority", "-out", str(authority), "-keyout", str(key))
    _openssl("req", "-config", str(settings), *KEY, *made)
    return Certificates(authority, _server(folder, "valid", VALID), _server(folder, "expired", OVER))


def _server(folder: Path, name: str, lasts: tuple[str, str]) -> Path:
    request, key, certificate = (folder / f"{name}.{kind}" for kind in ("request", "key", "certificate"))
    settings = ("-config", str(folder / "settings"))
    _openssl("req", *settings, *KEY, "-subj", "/CN=localhost", "-out", str(request), "-keyout", str(key))
    signer = ("-cert", str(folder / "authority.pem"), "-keyfile", str(folder / "authority.key"))
    when = ("-startdate", lasts[0], "-enddate", lasts[1])
    out = ("-in", str(request), "-out", str(certificate), "-notext", "-batch")
    _openssl("ca", *settings, *signer, *when, *out)
    both = folder / f"{name}.pem"
    both.touch(0o600)
    both.write_text(certificate.read_text("utf-8") + key.read_text("utf-8"), encoding="utf-8")
    return both


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
