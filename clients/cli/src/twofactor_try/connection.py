"""Channels to the server."""

from queue import Empty, SimpleQueue

import grpc

import twofactor_client
from twofactor_try.failures import CannotStartError

READY_SECONDS = 2.0

# The server stands on this machine: a proxy of the environment is for other traffic.
_OPTIONS = [("grpc.enable_http_proxy", 0)]
_CONTRACT_OPTIONS = [("grpc.service_config", twofactor_client.service_config())]
_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
_NO_RETRIES = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]


def open_channel(server: str, *, own_connection: bool = False) -> grpc.Channel:
    """A plaintext channel with the contract's timeouts and retries.

    Channels to one address share a connection, and so a server process, unless they want their own.
    """
    own = _OWN_CONNECTION if own_connection else []
    return grpc.insecure_channel(server, options=[*_OPTIONS, *_CONTRACT_OPTIONS, *own])


def open_channel_without_retries(server: str) -> grpc.Channel:
    """A channel that reports a lost answer instead of asking again by itself."""
    return grpc.insecure_channel(server, options=[*_OPTIONS, *_NO_RETRIES])


def wait_until_ready(channel: grpc.Channel, server: str) -> None:
    """Return once the connection stands. Raises CannotStartError if it is refused or takes over two seconds."""
    states: SimpleQueue[grpc.ChannelConnectivity] = SimpleQueue()

    def note(state: grpc.ChannelConnectivity) -> None:
        if state in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
            states.put(state)

    channel.subscribe(note, try_to_connect=True)
    try:
        state = states.get(timeout=READY_SECONDS)
    except Empty:
        state = grpc.ChannelConnectivity.TRANSIENT_FAILURE
    finally:
        channel.unsubscribe(note)
    if state != grpc.ChannelConnectivity.READY:
        raise CannotStartError(
            f"No server answers at {server}: start one with `make run`, or name another with --server."
        )
