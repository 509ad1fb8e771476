"""The server's messages in plain words."""

from collections.abc import Iterable, Iterator
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from twofactor.v1.sign_in_service_pb2 import ListSessionsResponse
from twofactor.v1.two_factor_service_pb2 import GetTwoFactorResponse
from twofactor.v1.types_pb2 import (
    CHALLENGE_STATE_COMPLETED,
    CHALLENGE_STATE_EXHAUSTED,
    CHALLENGE_STATE_EXPIRED,
    CHALLENGE_STATE_OPEN,
    PROOF_METHOD_AUTHENTICATOR,
    PROOF_METHOD_BACKUP_CODE,
    PROOF_METHOD_EMAIL_CODE,
    SECOND_FACTOR_AUTHENTICATOR,
    Account,
    BackupCode,
    Challenge,
    Identity,
    ProofMethod,
    Session,
    Wait,
)
from twofactor_try.refusals import clock_time

_STATES = {
    CHALLENGE_STATE_OPEN: "open",
    CHALLENGE_STATE_COMPLETED: "completed",
    CHALLENGE_STATE_EXPIRED: "expired",
    CHALLENGE_STATE_EXHAUSTED: "exhausted: all attempts were wrong",
}
_METHODS = {
    PROOF_METHOD_EMAIL_CODE: "e-mail codes",
    PROOF_METHOD_AUTHENTICATOR: "authenticator codes",
    PROOF_METHOD_BACKUP_CODE: "backup codes",
}


def account_words(account: Account) -> Iterator[str]:
    yield f"Account {account.account_id}"
    yield f"  e-mail      {account.email}, {'verified' if account.email_verified else 'not verified yet'}"
    yield f"  made        {at(account.create_time)}"
    ways = (["password"] if account.has_password else []) + list(account.linked_providers)
    yield f"  signs in by {', '.join(ways) or 'asserted first factor only'}"


def identity_words(identity: Identity) -> Iterator[str]:
    yield f"Identity {identity.identity_id}"
    yield f"  at          {identity.provider}{', ' + identity.email if identity.email else ''}"
    yield f"  linked      {at(identity.link_time)}"


def challenge_words(challenge: Challenge) -> Iterator[str]:
    yield f"Verify It's You: the challenge is {_STATES.get(challenge.state, 'in a state unknown here')}."
    if challenge.state != CHALLENGE_STATE_OPEN:
        return
    if challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR:
        yield "  asked for       the authenticator app's code, or the backup code"
        if challenge.authenticator_disabled:
            yield "                  (the app is disabled after 100 wrong codes: use the backup code)"
    else:
        yield f"  asked for       the code mailed to {challenge.masked_email}"
        yield f"  the code works  until {at(challenge.email_code_expire_time)}"
        left = challenge.HasField("next_send_time")
        yield f"  another one     {'from ' + at(challenge.next_send_time) if left else 'not for this challenge'}"
    yield f"  attempts left   {challenge.attempts_left}"
    yield f"  ends            {at(challenge.expire_time)}"
    yield from wait_words(challenge.waits)


def session_words(session: Session) -> Iterator[str]:
    yield f"Session {session.session_id}"
    yield f"  of          {session.email} ({session.account_id})"
    yield f"  proven by   {', '.join(session.methods)}"
    yield f"  opened      {at(session.create_time)} from {session.client.ip_address or 'an unknown address'}"
    yield f"  last active {at(session.last_active_time)}"
    yield f"  ends        {at(session.expire_time)} at the latest"


def session_table(answer: ListSessionsResponse) -> Iterator[str]:
    """A line for each, the newest first; a star stands before the one that asks."""
    lines = [("Session", "Opened", "Last active", "From", "Proven by")]
    for one in answer.sessions:
        opened, active = at(one.create_time), at(one.last_active_time)
        lines.append((one.session_id, opened, active, one.client.ip_address or "unknown", ", ".join(one.methods)))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for session_id, *rest in lines:
        mark = "* " if session_id == answer.current_session_id else "  "
        cells = [text.ljust(width) for text, width in zip([session_id, *rest[:-1]], widths, strict=True)]
        yield mark + "  ".join([*cells, rest[-1]])


def two_factor_words(status: GetTwoFactorResponse) -> Iterator[str]:
    if status.method != SECOND_FACTOR_AUTHENTICATOR:
        yield "Second factor: e-mail codes. There is no backup code; the recovery is the inbox."
    else:
        disabled = ", disabled after 100 wrong codes" if status.authenticator.disabled else ""
        yield f"Second factor: authenticator app, since {at(status.authenticator.enable_time)}{disabled}."
        code = status.backup_code
        saved = f"saved {at(code.save_time)}" if code.HasField("save_time") else "NOT SAVED"
        yield f"Backup code no. {code.generation}, made {at(code.create_time)}, {saved}."
        if code.must_regenerate:
            yield "It cannot be shown again: regenerate it unless it was written down."
    yield from wait_words(status.waits)


def backup_code_words(title: str, code: BackupCode, *, replayed: bool) -> Iterator[str]:
    yield ""
    yield f"{title} (no. {code.generation}{', shown before: the same call again' if replayed else ''})"
    yield ""
    yield f"    {code.code}"
    yield ""
    yield "Store it somewhere safe, then say so: twofactor-try saved"


def wait_words(waits: Iterable[Wait]) -> Iterator[str]:
    for wait in waits:
        yield f"  {_METHODS.get(wait.method, ProofMethod.Name(wait.method))} must wait until {at(wait.until_time)}"


def at(moment: Timestamp) -> str:
    return clock_time(moment.ToDatetime(UTC))
