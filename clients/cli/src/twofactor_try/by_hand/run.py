"""Runs one command and prints its answer, in plain words or as JSON."""

import argparse
import json
import sys
from collections.abc import Callable

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console

from twofactor.v1.types_pb2 import ClientInfo
from twofactor_try.by_hand.memory import Memory
from twofactor_try.by_hand.step import Said, Step
from twofactor_try.connection import open_channel, wait_until_ready
from twofactor_try.contract import Contract
from twofactor_try.refusals import Refused


def run(command: Callable[[Step], Said], options: argparse.Namespace) -> int:
    """0: done. 1: the server refused."""
    memory = Memory(options.state, options.server)
    with open_channel(options.server) as channel:
        wait_until_ready(channel, options.server)
        contract = Contract(channel, ClientInfo(ip_address=options.ip, user_agent="twofactor-try"))
        try:
            answer = command(Step(options, contract, memory))
        except Refused as refusal:
            _print_refusal(refusal, as_json=options.json)
            return 1
    if options.json:
        print(json.dumps(_for_machines(answer.message), indent=2))
    else:
        _print_words(answer)
    return 0


def _print_words(answer: Said) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in answer.words:
        console.print(line)


def _print_refusal(refusal: Refused, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"refused": refusal.as_json()}, indent=2))
    else:
        print(f"refused: {refusal}", file=sys.stderr)


def _for_machines(message: Message | None) -> dict[str, object]:
    """The answer with the contract's own field names; the answers that say nothing are `{}`."""
    if message is None:
        return {}
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
