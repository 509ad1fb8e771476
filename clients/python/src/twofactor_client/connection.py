"""Credentials and options of the channel to the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from twofactor_client.config import service_config

Options = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files for mutual TLS: the authority of the server's certificate, and the caller's certificate and key.

    `server_name` is the name in the server's certificate if it is not the host of the address. The files are read when
    a client is created: create a new client to use renewed files.
    """

    ca: Path | str
    certificate: Path | str
    key: Path | str
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files. Raises OSError."""
        return grpc.ssl_channel_credentials(
            root_certificates=Path(self.ca).read_bytes(),
            private_key=Path(self.key).read_bytes(),
            certificate_chain=Path(self.certificate).read_bytes(),
        )


def channel_options(tls: Tls | None, options: Options) -> list[tuple[str, str | int]]:
    """The service config, the expected name of the server, and the caller's options, which take precedence."""
    name: Options = [("grpc.ssl_target_name_override", tls.server_name)] if tls and tls.server_name else ()
    return [("grpc.service_config", service_config()), *name, *options]
