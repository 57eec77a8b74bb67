"""Certificates for a throw-away authority, a server of one name, and a client."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """Signs certificates; its own is in `file`."""

    key: Key
    certificate: x509.Certificate
    file: Path

    def issue(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Files with a certificate for that name and its key, for the owner's eyes alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(_about(name, key, self.certificate.subject), self.key, for_name=name)
        return _written(folder / f"{name}.crt", certificate), _key_written(folder / f"{name}.key", key)


def authority(folder: Path, name: str) -> Authority:
    """A new one, which nobody else trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = _signed(_about(name, key, subject), key, for_name=None)
    return Authority(key, certificate, _written(folder / f"{name}.crt", certificate))


def _about(name: str, key: Key, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _signed(builder: x509.CertificateBuilder, key: Key, for_name: str | None) -> x509.Certificate:
    signs = for_name is None
    builder = builder.add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
    if for_name is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(for_name)]), critical=False)
    return builder.sign(key, hashes.SHA256())


def _written(file: Path, certificate: x509.Certificate) -> Path:
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file


def _key_written(file: Path, key: Key) -> Path:
    plain = serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    file.chmod(0o600)
    return file
