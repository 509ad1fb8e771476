"""The published service config: which methods gRPC retries, and the timeout of each method."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

# In grpcio the timeouts of a service config expire one to two seconds early; the amount varies per process
# (https://github.com/grpc/grpc/issues/34547). A read with a timeout of 2 s was seen to fail after 0.02 s.
_EARLY_EXPIRY_SECONDS = 2


def service_config() -> str:
    """The gRPC service config as JSON, for the channel option `grpc.service_config`.

    It sets the timeout of each method and the methods that are retried after UNAVAILABLE. Callers repeat the others
    themselves, with the same request_id.

    The timeouts are two seconds longer than the published ones (2 s for reads, 5 s for changes, 10 s for methods that
    may contact an identity provider), because grpcio expires them up to two seconds early. They are not sent to the
    server. A `timeout` argument of a call is exact and is sent; the clients of this package pass the published one.
    """
    config = _published()
    for entry in config["methodConfig"]:
        entry["timeout"] = f"{_seconds(entry) + _EARLY_EXPIRY_SECONDS:g}s"
    return json.dumps(config)


@cache
def timeouts() -> Mapping[str, float]:
    """The published timeout in seconds, by method path, such as `/twofactor.v1.SignInService/GetSession`."""
    return {
        f"/{name['service']}/{name['method']}": _seconds(entry)
        for entry in _published()["methodConfig"]
        for name in entry["name"]
    }


def _published() -> dict[str, Any]:
    config: dict[str, Any] = json.loads(files("twofactor.v1").joinpath("service_config.json").read_bytes())
    return config


def _seconds(entry: Mapping[str, Any]) -> float:
    return float(entry["timeout"].removesuffix("s"))
