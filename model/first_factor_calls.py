"""What a signed-in owner changes of the first factor: the password, set or changed, and an identity that goes.

Passwords and providers' sign-ins are right at first; charging and judging them is left out, that they are read again
under the lock is not.
"""

from model.calls import OK, ChangePassword, Next, Outcome, Result, SetPassword, StartByIdentity, Unlink
from model.database import Find, Read, Refused, Steps, Update, UpdateAll
from model.mechanisms import Mechanism, Protocol
from model.owner_calls import confirm, content, lock_owner, shown_before
from model.rows import ACCOUNT, Account, Identity, Reply
from model.statements import end_sessions, keep_reply, read_password_version, void_challenges


def charge_password(p: Protocol, call: ChangePassword | SetPassword) -> Steps[Result]:
    """``password-charged``: a reply given before, or the proof to judge."""
    yield from lock_owner(p, call.session)
    shown = yield from shown_before(call)
    if shown:
        return shown
    yield from _check_none(call)
    return Next("password-changed", ((yield from read_password_version()),))


def replace_password(p: Protocol, call: ChangePassword | SetPassword, version: int) -> Steps[Result]:
    """``password-changed``: open challenges are void, every other session ends."""
    yield from lock_owner(p, call.session)
    shown = yield from shown_before(call)
    if shown:
        return shown
    yield from _check_none(call)
    yield from confirm(version)
    if isinstance(call, SetPassword):
        yield from _check_linked(call.by, "REAUTHENTICATION_FAILED")
    yield Update(
        ACCOUNT, lambda _: True, lambda row: row._replace(password_version=version + 1, has_password=True)
    )  # fmt: skip
    yield from void_challenges(p)
    found = yield Find("sessions", lambda _, row: not row.ended and row.challenge != call.session)
    yield from end_sessions(*(row.challenge for _, row in found))
    if call.request is not None:
        yield from keep_reply(f"session {call.session}", call.request, Reply(*content(call), call.session, None, None))
    return Outcome(OK)


def charge_unlinking(p: Protocol, call: Unlink) -> Steps[Result]:
    """``unlink-charged``: nothing to do, or the proof to judge."""
    yield from lock_owner(p, call.session)
    if not (yield from linked(call.identity)):
        return Outcome(OK)
    version = yield from read_password_version()
    return Next("identity-unlinked", (version, (yield from _another_way(call.identity))))


def unlink(p: Protocol, call: Unlink, version: int, another_way: bool) -> Steps[Result]:
    """``identity-unlinked``: not the last way in. The sign-ins that the identity began are void."""
    yield from lock_owner(p, call.session)
    if not (yield from linked(call.identity)):
        return Outcome(OK)
    yield from confirm(version)
    if p.has(Mechanism.REREAD):
        another_way = yield from _another_way(call.identity)
    if not another_way:
        return Outcome("LAST_WAY_IN")
    yield Update(("identities", call.identity), lambda row: bool(row.linked), lambda row: row._replace(linked=False))
    if p.has(Mechanism.VOID_CHALLENGES):
        yield UpdateAll(
            "challenges",
            lambda _, row: row.begun_by == call.identity and not (row.completed or row.void),
            lambda _, row: row._replace(void=True),
        )
    return Outcome(OK)


def exchange(call: StartByIdentity) -> Steps[Result]:
    """The provider has told whose sign-in it is; whose account that opens is read without a lock."""
    yield from _check_linked(call.identity, "IDENTITY_NOT_LINKED")
    return Next("sign-in-started", ((yield from read_password_version()),))


def check_still_linked(p: Protocol, call: StartByIdentity) -> Steps[None]:
    """Under the lock: the identity may have been unlinked since."""
    if p.has(Mechanism.LINK_REREAD):
        yield from _check_linked(call.identity, "IDENTITY_NOT_LINKED")


def linked(number: int) -> Steps[bool]:
    """Whether the identity opens the account."""
    identity: Identity = yield Read(("identities", number))
    return identity.linked


def _check_linked(number: int, otherwise: str) -> Steps[None]:
    if not (yield from linked(number)):
        raise Refused(otherwise)


def _check_none(call: ChangePassword | SetPassword) -> Steps[None]:
    """SetPassword is for an account without one."""
    if isinstance(call, SetPassword):
        account: Account = yield Read(ACCOUNT)
        if account.has_password:
            raise Refused("CONFLICT")


def _another_way(identity: int) -> Steps[bool]:
    """Whether something else than this identity opens the account."""
    account: Account = yield Read(ACCOUNT)
    others = yield Find("identities", lambda key, row: bool(row.linked and key[1] != identity))
    return account.has_password or bool(others)
