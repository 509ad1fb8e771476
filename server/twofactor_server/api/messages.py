"""Building responses from records."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from twofactor.v1 import account_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_server.domain import accounts, sessions
from twofactor_server.domain.challenges import ChallengeState
from twofactor_server.domain.revert import RevertedChange
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows.account.identities import IdentityView
from twofactor_server.flows.challenge import ChallengeView
from twofactor_server.flows.idempotency import ShownBackupCode
from twofactor_server.flows.two_factor.authenticator_setup import StartedSetup
from twofactor_server.flows.two_factor.status import TwoFactorStatus

SECOND_FACTORS = {
    Method.EMAIL: types_pb2.SECOND_FACTOR_EMAIL_CODE,
    Method.AUTHENTICATOR: types_pb2.SECOND_FACTOR_AUTHENTICATOR,
}
_PROOFS = {
    Proof.EMAIL_CODE: types_pb2.PROOF_METHOD_EMAIL_CODE,
    Proof.AUTHENTICATOR: types_pb2.PROOF_METHOD_AUTHENTICATOR,
    Proof.BACKUP_CODE: types_pb2.PROOF_METHOD_BACKUP_CODE,
}
_STATES = {
    ChallengeState.OPEN: types_pb2.CHALLENGE_STATE_OPEN,
    ChallengeState.COMPLETED: types_pb2.CHALLENGE_STATE_COMPLETED,
    ChallengeState.EXPIRED: types_pb2.CHALLENGE_STATE_EXPIRED,
    ChallengeState.EXHAUSTED: types_pb2.CHALLENGE_STATE_EXHAUSTED,
}


def timestamp(time: datetime | None) -> Timestamp | None:
    """The time; None for an absent field."""
    if time is None:
        return None
    message = Timestamp()
    message.FromDatetime(time)
    return message


def waits(current: Mapping[Proof, datetime]) -> list[types_pb2.Wait]:
    """Until when each method admits no attempt."""
    return [types_pb2.Wait(method=_PROOFS[proof], until_time=timestamp(until)) for proof, until in current.items()]


def challenge(view: ChallengeView) -> types_pb2.Challenge:
    return types_pb2.Challenge(
        second_factor=SECOND_FACTORS[view.second_factor],
        backup_code_accepted=view.backup_code_accepted,
        masked_email=view.masked_email,
        attempts_left=view.attempts_left,
        waits=waits(view.waits),
        authenticator_disabled=view.authenticator_disabled,
        email_code_expire_time=timestamp(view.email_code_expire_time),
        next_send_time=timestamp(view.next_send_time),
        expire_time=timestamp(view.expire_time),
        state=_STATES[view.state],
    )


def two_factor(status: TwoFactorStatus) -> two_factor_service_pb2.GetTwoFactorResponse:
    """The second factor. Fields that the active method does not have stay absent."""
    factor = status.factor
    response = two_factor_service_pb2.GetTwoFactorResponse(
        method=SECOND_FACTORS[factor.method], waits=waits(status.waits)
    )
    if factor.method is Method.AUTHENTICATOR:
        response.authenticator.CopyFrom(
            two_factor_service_pb2.AuthenticatorStatus(
                enable_time=timestamp(factor.enable_time), disabled=factor.authenticator_disabled
            )
        )
        response.backup_code.CopyFrom(
            two_factor_service_pb2.BackupCodeStatus(
                generation=factor.generation,
                create_time=timestamp(factor.backup_code_create_time),
                save_time=timestamp(factor.saved_time),
                must_regenerate=status.must_regenerate,
            )
        )
    return response


def authenticator_setup(setup: StartedSetup) -> two_factor_service_pb2.StartAuthenticatorSetupResponse:
    """The only response that contains a TOTP secret."""
    return two_factor_service_pb2.StartAuthenticatorSetupResponse(
        setup_id=str(setup.setup_id),
        secret=setup.enrolment.secret,
        otpauth_uri=setup.enrolment.otpauth_uri,
        qr_code_svg=setup.enrolment.qr_code_svg,
        expire_time=timestamp(setup.expire_time),
    )


def session(record: sessions.Session) -> types_pb2.Session:
    """The session, without its token."""
    client = record.client
    known = client.ip_address or client.user_agent
    return types_pb2.Session(
        session_id=str(record.session_id),
        account_id=str(record.account_id),
        email=record.email,
        create_time=timestamp(record.create_time),
        expire_time=timestamp(record.expire_time),
        last_active_time=timestamp(record.last_active_time),
        methods=record.methods,
        client=types_pb2.ClientInfo(ip_address=client.ip_address, user_agent=client.user_agent) if known else None,
    )


def account(record: accounts.Account) -> types_pb2.Account:
    return types_pb2.Account(
        account_id=str(record.account_id),
        email=record.email,
        email_verified=record.email_verify_time is not None,
        create_time=timestamp(record.create_time),
        has_password=record.password_hash is not None,
        linked_providers=record.linked_providers,
    )


def identity(linked: IdentityView) -> types_pb2.Identity:
    """A linked identity, without the provider's subject."""
    return types_pb2.Identity(
        identity_id=str(linked.identity_id),
        provider=linked.provider,
        email=linked.email,
        link_time=timestamp(linked.link_time),
    )


def reverted_changes(reverted: Sequence[RevertedChange]) -> list["account_service_pb2.UndoneChange.ValueType"]:
    """What a report did."""
    return [account_service_pb2.UndoneChange.Value(f"UNDONE_CHANGE_{change}") for change in reverted]


def backup_code(shown: ShownBackupCode | None) -> types_pb2.BackupCode | None:
    """The backup code on its way to the owner."""
    return types_pb2.BackupCode(code=shown.code, generation=shown.generation) if shown else None
