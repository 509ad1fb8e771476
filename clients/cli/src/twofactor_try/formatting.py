"""Messages of the contract as lines of text."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

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

_CHALLENGE_STATES = {
    CHALLENGE_STATE_OPEN: "open",
    CHALLENGE_STATE_COMPLETED: "completed",
    CHALLENGE_STATE_EXPIRED: "expired",
    CHALLENGE_STATE_EXHAUSTED: "exhausted (no attempts left)",
}
_METHODS = {
    PROOF_METHOD_EMAIL_CODE: "E-mail codes",
    PROOF_METHOD_AUTHENTICATOR: "Authenticator codes",
    PROOF_METHOD_BACKUP_CODE: "Backup codes",
}


def account_lines(account: Account) -> Iterator[str]:
    sign_in_methods = (["password"] if account.has_password else []) + list(account.linked_providers)
    yield f"Account {account.account_id}"
    yield f"  e-mail        {account.email} ({'verified' if account.email_verified else 'not verified yet'})"
    yield f"  created       {format_time(account.create_time)}"
    yield f"  sign-in with  {', '.join(sign_in_methods) or 'asserted first factor only'}"


def identity_lines(identity: Identity) -> Iterator[str]:
    yield f"Identity {identity.identity_id}"
    yield f"  provider  {identity.provider}{f' ({identity.email})' if identity.email else ''}"
    yield f"  linked    {format_time(identity.link_time)}"


def challenge_lines(challenge: Challenge) -> Iterator[str]:
    yield f"Challenge: {_CHALLENGE_STATES.get(challenge.state, 'unknown state')}"
    if challenge.state != CHALLENGE_STATE_OPEN:
        return
    if challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR:
        if challenge.authenticator_disabled:
            yield "  requires       the backup code (the authenticator is disabled after 100 wrong codes)"
        else:
            yield "  requires       a code from the authenticator app, or the backup code"
    else:
        resend = format_time(challenge.next_send_time) if challenge.HasField("next_send_time") else "not available"
        yield f"  requires       the code sent to {challenge.masked_email}"
        yield f"  code expires   {format_time(challenge.email_code_expire_time)}"
        yield f"  next code at   {resend}"
    yield f"  attempts left  {challenge.attempts_left}"
    yield f"  expires        {format_time(challenge.expire_time)}"
    yield from wait_lines(challenge.waits)


def session_lines(session: Session) -> Iterator[str]:
    yield f"Session {session.session_id}"
    yield f"  account      {session.email} ({session.account_id})"
    yield f"  methods      {', '.join(session.methods)}"
    yield f"  started      {format_time(session.create_time)} from {session.client.ip_address or 'an unknown address'}"
    yield f"  last active  {format_time(session.last_active_time)}"
    yield f"  expires      {format_time(session.expire_time)}"


def session_table(response: ListSessionsResponse) -> Iterator[str]:
    """One row for each session, in the server's order (newest first). A star marks the current session."""
    rows = [("Session", "Started", "Last active", "From", "Methods")]
    for session in response.sessions:
        started, active = format_time(session.create_time), format_time(session.last_active_time)
        address = session.client.ip_address or "unknown"
        rows.append((session.session_id, started, active, address, ", ".join(session.methods)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        mark = "*" if row[0] == response.current_session_id else " "
        cells = [text.ljust(width) for text, width in zip(row[:4], widths, strict=True)]
        yield "  ".join([f"{mark} {cells[0]}", *cells[1:], row[4]])


def two_factor_lines(status: GetTwoFactorResponse) -> Iterator[str]:
    if status.method != SECOND_FACTOR_AUTHENTICATOR:
        yield "Second factor: e-mail codes. There is no backup code; access to the e-mail account is the recovery."
    else:
        disabled = " (disabled after 100 wrong codes)" if status.authenticator.disabled else ""
        code = status.backup_code
        saved = f"saved {format_time(code.save_time)}" if code.HasField("save_time") else "NOT SAVED"
        yield f"Second factor: authenticator app, since {format_time(status.authenticator.enable_time)}{disabled}."
        yield f"Backup code no. {code.generation}: created {format_time(code.create_time)}, {saved}."
        if code.must_regenerate:
            yield "It cannot be shown again. If it was not written down, run `twofactor-try regenerate`."
    yield from wait_lines(status.waits)


def backup_code_lines(code: BackupCode, *, replayed: bool) -> Iterator[str]:
    repeated = ", shown again: this request was sent before" if replayed else ""
    yield ""
    yield f"Save your backup code (no. {code.generation}{repeated})"
    yield ""
    yield f"    {code.code}"
    yield ""
    yield "Store it in a safe place, then run: twofactor-try saved"


def wait_lines(waits: Iterable[Wait]) -> Iterator[str]:
    for wait in waits:
        method = _METHODS.get(wait.method, ProofMethod.Name(wait.method))
        yield f"  {method} are blocked until {format_time(wait.until_time)}."


def format_time(time: Timestamp | datetime) -> str:
    """`12:03:04 UTC`, with the date unless it is today's."""
    utc = (time.ToDatetime(UTC) if isinstance(time, Timestamp) else time).astimezone(UTC)
    today = utc.date() == datetime.now(UTC).date()
    return utc.strftime("%H:%M:%S UTC" if today else "%Y-%m-%d %H:%M:%S UTC")
