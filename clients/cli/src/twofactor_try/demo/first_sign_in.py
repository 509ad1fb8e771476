"""Scenes: create an account, and sign in with an e-mailed code."""

import time

from twofactor.v1.account_service_pb2 import CreateAccountRequest
from twofactor.v1.types_pb2 import SECOND_FACTOR_EMAIL_CODE
from twofactor_try.demo.context import Demo, expect


def create_account(demo: Demo) -> None:
    request = CreateAccountRequest(email=demo.email, password=demo.password)
    account = demo.rpc.call(demo.rpc.accounts.CreateAccount, request).account
    # The authenticator app of the demo follows the server's clock.
    offset = account.create_time.ToMilliseconds() / 1000 - time.time()
    demo.clock_offset = offset if abs(offset) > 1 else 0.0
    demo.screen.success("Created the account. By default, a code sent by e-mail confirms each sign-in.")


def sign_in_with_email_code(demo: Demo) -> None:
    started = demo.start_sign_in()
    expect(started.challenge.second_factor == SECOND_FACTOR_EMAIL_CODE, "a new account does not use e-mail codes")
    demo.screen.success("The password is correct. A code was sent to ", started.challenge.masked_email, ".")
    demo.sign_in_with_email_code(started.challenge_token)
    demo.check(
        "On email login codes, your recovery is simply your email inbox.",
        "an e-mailed code",
        "signed in",
        passed=not started.challenge.backup_code_accepted,
    )
