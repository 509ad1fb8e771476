"""Calls as the messages that travel, and the messages that come back as answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from tests.people import CLIENT
from tests.refusals import Refused, refusal
from tests.stateful.oracle import account_calls, answers, calls
from tests.stateful.oracle.answers import Answer
from tests.stateful.oracle.given import Asserted, Proof
from tests.stateful.oracle.linking import Credential
from tests.stateful.oracle.moments import Fresh
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2

METHODS = {
    method.name: method
    for file in (account_service_pb2, sign_in_service_pb2, two_factor_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Every method of the contract; the calls of the oracle are named like them."""

TIMEOUT = 15.0
"""Seconds for one call; none comes near it."""

_NAMES = {"challenge": "challenge_token", "session": "session_token"}


def request_of(call: calls.Call) -> Any:
    """The request, as its sender would fill it in."""
    method = METHODS[type(call).__name__]
    request: Any = GetMessageClass(method.input_type)()
    for name in call.__dataclass_fields__:
        value = getattr(call, name)
        if name == "ip":
            request.client.CopyFrom(types_pb2.ClientInfo(ip_address=value, user_agent=CLIENT.user_agent))
        elif name == "proof":
            _fill_proof(request.reauthentication, value)
        elif name == "credential" and isinstance(call, account_calls.LinkIdentity):
            _fill_credential(request, value)
        elif name == "nth" or (isinstance(call, calls.StartSignIn) and name != "remember_me"):
            continue
        elif isinstance(call, calls.UseBackupCode) and name == "code":
            request.backup_code = value
        else:
            setattr(request, _NAMES.get(name, name), value)
    if isinstance(call, calls.StartSignIn):
        if call.asserted:
            _fill_word(request.asserted, call.asserted)
        elif call.credential:
            _fill_credential(request, call.credential)
        else:
            request.password.email, request.password.password = call.email, call.password
    return request


async def make(channel: grpc.aio.Channel, call: calls.Call) -> Any:
    """The response; a refusal raises."""
    method = METHODS[type(call).__name__]
    stub = channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=GetMessageClass(method.input_type).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    return await stub(request_of(call), timeout=TIMEOUT)


def answer_of(response: Any) -> Answer:
    """What the response says."""
    match type(response).DESCRIPTOR.name.removesuffix("Response"):
        case "CreateAccount" | "GetAccount":
            seen = response.account
            providers = tuple(seen.linked_providers)
            return answers.AccountSeen(seen.account_id, seen.email, seen.email_verified, seen.has_password, providers)
        case "LinkIdentity":
            return _identity(response.identity)
        case "ListIdentities":
            return answers.IdentitiesSeen(tuple(map(_identity, response.identities)))
        case "StartSignIn":
            return answers.Started(response.challenge_token, _challenge(response.challenge))
        case "GetChallenge" | "SendEmailCode":
            return _challenge(response.challenge)
        case "VerifyEmailCode" | "VerifyAuthenticatorCode":
            return answers.SignedIn(response.session_token, _session(response.session), replayed=response.replayed)
        case "UseBackupCode":
            new, session = response.new_backup_code, _session(response.session)
            return answers.SignedIn(response.session_token, session, new.code, new.generation, response.replayed)
        case "GetSession":
            return _session(response.session)
        case "ListSessions":
            return answers.SessionsSeen(tuple(map(_session, response.sessions)), response.current_session_id)
        case "GetTwoFactor":
            return _status(response)
        case "StartAuthenticatorSetup":
            secret = response.secret.replace(" ", "")
            return answers.SetupStarted(response.setup_id, secret, _time(response.expire_time))
        case "ConfirmAuthenticatorSetup" | "RegenerateBackupCode":
            return answers.Shown(response.backup_code.code, response.backup_code.generation, response.replayed)
    return answers.Done()


def fresh_of(answer: Answer) -> Fresh:
    """What was made at random for this answer."""
    match answer:
        case answers.Started():
            return Fresh(token=answer.token)
        case answers.SignedIn():
            return Fresh(token=answer.token, session_id=answer.session.session_id, code=answer.code)
        case answers.Shown():
            return Fresh(code=answer.code)
        case answers.IdentitySeen():
            return Fresh(identity_id=answer.identity_id)
        case answers.SetupStarted():
            return Fresh(setup_id=answer.setup_id, secret=answer.secret)
    return Fresh()


def refused_of(error: grpc.aio.AioRpcError) -> answers.Refused:
    """What the refusal says; one without a reason is no answer of the contract's, and is shown by its status."""
    said: Refused = refusal(error)
    left, used = said.metadata.get("attempts_left"), said.metadata.get("used_at")
    return answers.Refused(
        said.reason or said.code.name,
        attempts_left=int(left) if left else None,
        used_at=datetime.fromisoformat(used) if used else None,
        retry_after=None if said.retry_after is None else timedelta(seconds=said.retry_after),
        active_method=said.metadata.get("active_method"),
        field=said.fields[0] if said.fields else None,
    )


def _fill_proof(message: types_pb2.Reauthentication, proof: Proof) -> None:
    if proof.asserted:
        _fill_word(message.asserted, proof.asserted)
    elif proof.credential:
        _fill_credential(message, proof.credential)
    elif proof.password is not None:
        message.password = proof.password
    message.authenticator_code = proof.app_code


def _fill_credential(message: Any, credential: Credential) -> None:
    given = message.github if credential.identity.first_factor == "github" else message.oidc
    given.authorization_code, given.code_verifier = credential.code, credential.verifier
    given.redirect_uri = credential.redirect_uri
    if credential.identity.first_factor == "oidc":
        given.provider, given.nonce = credential.identity.provider, credential.nonce


def _fill_word(message: types_pb2.AssertedFirstFactor, word: Asserted) -> None:
    message.account_id = word.account_id
    message.auth_time.FromDatetime(word.time)


def _challenge(message: types_pb2.Challenge) -> answers.ChallengeSeen:
    return answers.ChallengeSeen(
        second_factor=types_pb2.SecondFactor.Name(message.second_factor).removeprefix("SECOND_FACTOR_"),
        backup_code_accepted=message.backup_code_accepted,
        attempts_left=message.attempts_left,
        waits=_waits(message.waits),
        authenticator_disabled=message.authenticator_disabled,
        code_expires=_when(message, "email_code_expire_time"),
        next_send=_when(message, "next_send_time"),
        expires=_time(message.expire_time),
        state=types_pb2.ChallengeState.Name(message.state).removeprefix("CHALLENGE_STATE_"),
    )


def _identity(message: types_pb2.Identity) -> answers.IdentitySeen:
    return answers.IdentitySeen(message.identity_id, message.provider, message.email, _time(message.link_time))


def _session(message: types_pb2.Session) -> answers.SessionSeen:
    return answers.SessionSeen(
        session_id=message.session_id,
        account_id=message.account_id,
        email=message.email,
        created=_time(message.create_time),
        expires=_time(message.expire_time),
        last_active=_time(message.last_active_time),
        methods=tuple(message.methods),
        ip=message.client.ip_address,
    )


def _status(message: two_factor_service_pb2.GetTwoFactorResponse) -> answers.StatusSeen:
    code = message.backup_code
    return answers.StatusSeen(
        method=types_pb2.SecondFactor.Name(message.method).removeprefix("SECOND_FACTOR_"),
        waits=_waits(message.waits),
        enabled=_when(message.authenticator, "enable_time"),
        disabled=message.authenticator.disabled,
        generation=code.generation,
        created=_when(code, "create_time"),
        saved=_when(code, "save_time"),
        must_regenerate=code.must_regenerate,
    )


def _waits(waits: Sequence[types_pb2.Wait]) -> tuple[tuple[str, datetime], ...]:
    return tuple(
        (types_pb2.ProofMethod.Name(one.method).removeprefix("PROOF_METHOD_"), _time(one.until_time)) for one in waits
    )


def _when(message: Any, field: str) -> datetime | None:
    return _time(getattr(message, field)) if message.HasField(field) else None


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)
