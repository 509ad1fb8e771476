"""What a channel to the server is opened with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from twofactor_client.config import service_config

Options = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Tls:
    """Mutual TLS: PEM files of the authority that signed the server's certificate, and of this caller's own.

    `server_name` is the name that the server's certificate bears, where it is not that of the address. The files
    are read when a client is made: one that they were renewed for has to be made anew.
    """

    ca: Path | str
    certificate: Path | str
    key: Path | str
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """What is in the files. OSError if one cannot be read."""
        return grpc.ssl_channel_credentials(
            root_certificates=Path(self.ca).read_bytes(),
            private_key=Path(self.key).read_bytes(),
            certificate_chain=Path(self.certificate).read_bytes(),
        )


def channel_options(tls: Tls | None, own: Options) -> list[tuple[str, str | int]]:
    """The contract's service config, the name to expect of the server, and the caller's own options, which win."""
    named: Options = [("grpc.ssl_target_name_override", tls.server_name)] if tls and tls.server_name else ()
    return [("grpc.service_config", service_config()), *named, *own]
