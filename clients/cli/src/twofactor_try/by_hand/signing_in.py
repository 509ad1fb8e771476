"""Commands up to the session: account, first factor, second factor."""

from twofactor.v1.account_service_pb2 import CreateAccountResponse, GetAccountResponse
from twofactor.v1.sign_in_service_pb2 import GetChallengeResponse, GetSessionResponse
from twofactor.v1.two_factor_service_pb2 import (
    SendEmailCodeResponse,
    VerifyAuthenticatorCodeResponse,
    VerifyEmailCodeResponse,
)
from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR, PasswordCredential
from twofactor_try.by_hand.passwords import read_code, read_password
from twofactor_try.by_hand.step import Said, Step, asserted_now, said
from twofactor_try.by_hand.words import account_words, backup_code_words, challenge_words, session_words
from twofactor_try.contract import FirstFactor
from twofactor_try.failures import CannotStartError


def create_account(step: Step) -> Said:
    options = step.options
    if options.provider:
        account = step.contract.create_account_by(step.signed_in_at(options.provider), options.request_id)
    elif options.email is None:
        raise CannotStartError("Say the address of the new account, or --provider.")
    else:
        password = "" if options.no_password else read_password(options, "New password: ", twice=True)
        account = step.contract.create_account(options.email, password, options.request_id)
    return said(CreateAccountResponse(account=account), *account_words(account))


def get_account(step: Step) -> Said:
    who = step.options.who
    account = step.contract.get_account(email=who) if "@" in who else step.contract.get_account(account_id=who)
    return said(GetAccountResponse(account=account), *account_words(account))


def sign_in(step: Step) -> Said:
    started = step.contract.start_sign_in(_first_factor(step), remember_me=step.options.remember_me)
    step.memory.keep(challenge_token=started.challenge_token)
    return said(started, "The first factor is right.", *challenge_words(started.challenge))


def _first_factor(step: Step) -> FirstFactor:
    options = step.options
    if options.provider:
        return step.signed_in_at(options.provider)
    if options.who is None:
        raise CannotStartError("Say whose account it is, or --provider.")
    if options.asserted:
        return asserted_now(options.who)
    return PasswordCredential(email=options.who, password=read_password(options))


def get_challenge(step: Step) -> Said:
    challenge = step.contract.get_challenge(step.challenge_token)
    return said(GetChallengeResponse(challenge=challenge), *challenge_words(challenge))


def send_code(step: Step) -> Said:
    challenge = step.contract.send_email_code(step.challenge_token, step.options.request_id)
    return said(
        SendEmailCodeResponse(challenge=challenge),
        "A new code is on its way; the ones before do not work any more.",
        *challenge_words(challenge),
    )


def verify_code(step: Step) -> Said:
    token, options = step.challenge_token, step.options
    method = options.method
    if method is None:
        factor = step.contract.get_challenge(token).second_factor
        method = "authenticator" if factor == SECOND_FACTOR_AUTHENTICATOR else "email"
    code = read_code(options.code, "The app's code: " if method == "authenticator" else "The mailed code: ")
    answer: VerifyAuthenticatorCodeResponse | VerifyEmailCodeResponse
    if method == "authenticator":
        answer = step.contract.verify_authenticator_code(token, code, options.request_id)
    else:
        answer = step.contract.verify_email_code(token, code, options.request_id)
    step.memory.keep(session_token=answer.session_token)
    return said(answer, _signed_in(answer.replayed), *session_words(answer.session))


def use_backup_code(step: Step) -> Said:
    code = read_code(step.options.code, "Backup code: ")
    answer = step.contract.use_backup_code(step.challenge_token, code, step.options.request_id)
    new_code = answer.new_backup_code
    step.memory.keep(session_token=answer.session_token, generation=str(new_code.generation))
    return said(
        answer,
        _signed_in(answer.replayed),
        *session_words(answer.session),
        *backup_code_words("Save your new backup code", new_code, replayed=answer.replayed),
    )


def session(step: Step) -> Said:
    found = step.contract.get_session(step.session_token)
    return said(GetSessionResponse(session=found), *session_words(found))


def _signed_in(replayed: bool) -> str:
    return "Signed in already by this very call; its answer again." if replayed else "Signed in."
