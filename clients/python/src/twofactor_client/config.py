"""The contract's service config: which methods gRPC may retry by itself, and how long each may take."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

# grpcio lets a timeout of a service config run out one to two seconds early, by an amount that differs from
# process to process (https://github.com/grpc/grpc/issues/34547): of the two seconds of a read, 0.02 were seen
# to be left. With these two more, a call has at least the time that the contract gives it.
_SECONDS_LOST = 2


def service_config() -> str:
    """The contract's gRPC service config, as JSON text, for the channel option `grpc.service_config`.

    It gives each method a timeout and says which may be retried after UNAVAILABLE. A method without a retry
    policy is repeated by its caller, with the same request_id.

    The timeouts are two seconds longer than the contract's (2 s reads, 5 s changes, 10 s what may ask an
    identity provider), because grpcio measures them up to two seconds short. They bound the waiting and are
    not told to the server. A `timeout` given with a call is exact, is told, and counts if it ends sooner; the
    clients of this package give every call the contract's.
    """
    config = _published()
    for entry in config["methodConfig"]:
        entry["timeout"] = f"{_seconds(entry) + _SECONDS_LOST:g}s"
    return json.dumps(config)


@cache
def timeouts() -> Mapping[str, float]:
    """The seconds that the contract gives each method, by its path `/twofactor.v1.SignInService/GetSession`."""
    return {
        f"/{name['service']}/{name['method']}": _seconds(entry)
        for entry in _published()["methodConfig"]
        for name in entry["name"]
    }


def _published() -> dict[str, Any]:
    config: dict[str, Any] = json.loads(files(__package__).joinpath("service_config.json").read_bytes())
    return config


def _seconds(entry: Mapping[str, Any]) -> float:
    return float(entry["timeout"].removesuffix("s"))
