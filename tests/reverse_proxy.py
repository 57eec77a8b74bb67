"""A reverse proxy that ends TLS, as a deployment has one: it appends the caller's address and says https."""

import http.client
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOCALHOST = "127.0.0.1"


@dataclass
class ReverseProxy:
    """Where browsers reach it, and the service behind it, which may be named later."""

    url: str
    authority: ssl.SSLContext
    upstream: str = ""

    def visitor(self, address: str = LOCALHOST, **headers: str) -> httpx.Client:
        """A client that calls from this address, one of 127.0.0.0/8, and trusts the proxy's certificate."""
        transport = httpx.HTTPTransport(verify=self.authority, local_address=address)
        return httpx.Client(transport=transport, base_url=self.url, headers=headers, timeout=30)


@contextmanager
def reverse_proxy(folder: Path) -> Iterator[ReverseProxy]:
    """A proxy on a free port with a certificate of its own."""
    certificate = _certificate(folder)
    with ThreadingHTTPServer((LOCALHOST, 0), _Handler) as server:
        proxy = ReverseProxy(
            f"https://{LOCALHOST}:{server.server_port}", ssl.create_default_context(cafile=certificate)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.RequestHandlerClass = type("Handler", (_Handler,), {"proxy": proxy})
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    proxy: ReverseProxy

    def do_GET(self) -> None:
        """Pass it on and bring the answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = dict(self.headers.items())
        hops = self.headers.get_all("X-Forwarded-For", [])
        headers["X-Forwarded-For"] = ", ".join([*hops, self.client_address[0]])
        headers["X-Forwarded-Proto"] = "https"
        upstream = http.client.HTTPConnection(self.proxy.upstream.removeprefix("http://"), timeout=30)
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests look at what the service says."""


def _certificate(folder: Path) -> Path:
    """A file with a self-signed certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a proxy")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOCALHOST))]), False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "proxy.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return file
