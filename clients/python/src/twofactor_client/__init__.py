"""Beside the stubs of `twofactor.v1`: what every caller of the contract should configure its channel with."""

import json
from importlib.resources import files

__all__ = ["service_config"]

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
    not told to the server. A `timeout` given with a call is exact, is told, and counts if it ends sooner.
    """
    config = json.loads(files(__name__).joinpath("service_config.json").read_bytes())
    for entry in config["methodConfig"]:
        entry["timeout"] = f"{int(entry['timeout'].removesuffix('s')) + _SECONDS_LOST}s"
    return json.dumps(config)
