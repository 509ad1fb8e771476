"""What an act means for the account as it stands: the call, with every value filled in."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from tests.stateful.consents import Consents, own
from tests.stateful.oracle import account_calls, calls
from tests.stateful.oracle.calls import Call
from tests.stateful.oracle.given import Asserted, Proof
from tests.stateful.oracle.linking import Credential
from tests.stateful.oracle.moments import app_code
from tests.stateful.oracle.state import Account, Challenge
from tests.stateful.programs import MALFORMED, UNKNOWN, Act

_REQUESTS = UUID("0c7a3b52-6f0e-4d6c-9f0b-6d1c5a3f8e21")
_DIGITS = ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
_WRONG = "zzzz zzzz zzzz {:04d}"


@dataclass(frozen=True)
class Scene:
    """The accounts in play, the time, the codes that were mailed to each by the address they were asked from, the links
    that were, a fresh address for each network, and what people bring from their providers."""

    accounts: Sequence[Account]
    now: datetime
    mailed: Sequence[Mapping[str, str]]
    links: Sequence[Sequence[str]]
    fresh_ip: Callable[[int], str]
    consents: Consents


def call_of(act: Act, scene: Scene) -> Call:
    """The call that the act stands for."""
    account = scene.accounts[act.who]
    request_id = str(uuid5(_REQUESTS, f"{account.account_id} {act.request}")) if act.request else ""
    ip = f"198.18.{act.network}.1"
    match act.method:
        case "CreateAccount":
            password = "another one" if act.code == "wrong" else account.password
            return account_calls.CreateAccount(
                account.email, password, request_id if act.request else account.created_by
            )
        case "GetAccount":
            return account_calls.GetAccount(account.email.upper())
        case "StartSignIn":
            given, fresh, remember_me = proof_of(act, scene), scene.fresh_ip(act.network), bool(act.request)
            password = "" if given.asserted or given.credential else given.password or "nothing"
            return calls.StartSignIn(account.email, password, given.asserted, given.credential, fresh, remember_me)
        case "ConfirmFirstFactor":
            return _confirmation(act, scene, ip)
        case "GetChallenge":
            return calls.GetChallenge(_challenge(act, scene))
        case "SendEmailCode":
            return calls.SendEmailCode(_challenge(act, scene), request_id, scene.fresh_ip(act.network))
        case "VerifyEmailCode":
            return calls.VerifyEmailCode(_challenge(act, scene), email_code(act, scene), request_id, ip)
        case "VerifyAuthenticatorCode":
            code = app_code_of(act, account.factor.secret, scene)
            return calls.VerifyAuthenticatorCode(_challenge(act, scene), code, request_id, ip)
        case "UseBackupCode":
            return calls.UseBackupCode(_challenge(act, scene), backup_code(act, scene), request_id, ip)
    return _in_session(act, scene, request_id, ip)


def _in_session(act: Act, scene: Scene, request_id: str, ip: str) -> Call:
    account, session = scene.accounts[act.who], _session(act, scene)
    setup = _pick(act.setup, {key: not s.over(scene.now) for key, s in account.setups.items()}) or account.account_id
    match act.method:
        case "GetSession":
            return calls.GetSession(session)
        case "SignOut":
            return calls.SignOut(session)
        case "ListSessions":
            return calls.ListSessions(session)
        case "RevokeSession":
            other = _pick(act.setup, {token: s.live(scene.now) for token, s in account.sessions.items()})
            session_id = account.sessions[other].session_id if other else account.account_id
            return calls.RevokeSession(session, session_id, ip)
        case "RevokeOtherSessions":
            return calls.RevokeOtherSessions(session, act.code == "all", ip)
        case "SetPassword":
            return account_calls.SetPassword(session, proof_of(act, scene), _new_password(act), request_id, ip)
        case "ChangePassword":
            current = proof_of(act, scene).password or "nothing"
            return account_calls.ChangePassword(session, current, _new_password(act), request_id, ip)
        case "ListIdentities":
            return account_calls.ListIdentities(session)
        case "LinkIdentity":
            return account_calls.LinkIdentity(
                session, proof_of(act, scene), _to_link(act, scene, request_id), request_id, ip
            )
        case "UnlinkIdentity":
            linked = _pick(act.setup, dict.fromkeys(account.identities, True)) or account.account_id
            return account_calls.UnlinkIdentity(session, proof_of(act, scene), linked, ip)
        case "GetTwoFactor":
            return calls.GetTwoFactor(session)
        case "ConfirmBackupCodeSaved":
            older = {"older": 1, "none": account.factor.generation}.get(act.code, 0)
            return calls.ConfirmBackupCodeSaved(session, account.factor.generation - older)
        case "StartAuthenticatorSetup":
            return calls.StartAuthenticatorSetup(session, proof_of(act, scene), ip)
        case "ConfirmAuthenticatorSetup":
            secret = account.setups[setup].secret if setup in account.setups else ""
            return calls.ConfirmAuthenticatorSetup(session, setup, app_code_of(act, secret, scene), request_id, ip)
        case "CancelAuthenticatorSetup":
            return calls.CancelAuthenticatorSetup(session, setup)
        case "RegenerateBackupCode":
            return calls.RegenerateBackupCode(session, request_id, proof_of(act, scene), ip)
        case "RemoveAuthenticator":
            return calls.RemoveAuthenticator(session, proof_of(act, scene), ip)
    raise ValueError(act.method)


def _confirmation(act: Act, scene: Scene, ip: str) -> Call:
    """``right`` (a password if the account has one), ``another``, ``contrary``, ``short``; of the newest link, or one
    before."""
    account, links = scene.accounts[act.who], scene.links[act.who]
    nth = len(links) - act.on if 0 <= act.on < len(links) else 0
    body = urlsafe_b64encode(UUID(account.account_id).bytes + bytes(32)).decode()
    token = links[nth - 1] if nth else ("tfs_" if act.on == MALFORMED else "tfr_") + body
    right = f"a password for link {nth}" if account.password else ""
    passwords = {"another": "another password", "contrary": "" if right else "a password at last", "short": "short"}
    return account_calls.ConfirmFirstFactor(token, passwords.get(act.code, right), nth, ip)


def _new_password(act: Act) -> str:
    """``first``, ``second``; ``short``."""
    return act.code if act.code == "short" else f"the {act.code} password after that"


def _to_link(act: Act, scene: Scene, request_id: str) -> Credential:
    """``first``, ``second``, ``hub``: identities of the owner; ``another's``, one that the other account has; ``made
    up``. The same again under the same request_id."""
    account, other = scene.accounts[act.who], scene.accounts[1 - act.who]
    if act.code == "made up":
        return scene.consents.made_up(own(account.account_id, "first"))
    if act.code == "another's":
        theirs = [one.known_as for one in other.identities.values()]
        identity = theirs[0] if theirs else own(other.account_id, "first")
    else:
        identity = own(account.account_id, act.code)
    return scene.consents.given(identity, request_id)


def proof_of(act: Act, scene: Scene) -> Proof:
    """``none``, ``password``, ``word`` (a trusted caller's), ``identity`` (the newest that is linked), each also
    spoiled; with ``+ app`` the app's code too."""
    account, other = scene.accounts[act.who], scene.accounts[1 - act.who]
    given, _, with_app = act.proof.partition(" + ")
    code = app_code_of(Act("", code=with_app.removeprefix("app ") or "now"), account.factor.secret, scene)
    code = code if with_app else ""
    match given:
        case "password":
            return Proof(account.password or "nothing", app_code=code)
        case "word":
            return Proof(asserted=Asserted(account.account_id, scene.now), app_code=code)
        case "stale word":
            return Proof(asserted=Asserted(account.account_id, scene.now - timedelta(seconds=601)), app_code=code)
        case "word for another":
            return Proof(asserted=Asserted(other.account_id, scene.now), app_code=code)
        case "identity" | "stranger":
            linked = [one.known_as for one in account.identities.values()] if given == "identity" else []
            stranger = own(account.account_id, "stranger")
            return Proof(credential=scene.consents.given(linked[-1] if linked else stranger), app_code=code)
        case "made up":
            return Proof(credential=scene.consents.made_up(own(account.account_id, "first")), app_code=code)
        case "none":
            return Proof(app_code=code)
    return Proof(given, app_code=code)


def backup_code(act: Act, scene: Scene) -> str:
    """``held``, ``respelled``, ``old``, ``older``, ``another's``, ``wrong`` (always the same), ``new wrong``."""
    account = scene.accounts[act.who]
    if act.code == "another's":
        account = scene.accounts[1 - act.who]
    shown = account.shown
    back = {"old": 2, "older": 3}.get(act.code, 1)
    if act.code == "malformed":
        return "zzzz zzzz zzzz"
    if act.code == "new wrong" or (act.code != "wrong" and len(shown) < back):
        tried = sum(len(challenge.guesses) for challenge in account.challenges.values())
        return _WRONG.format(tried + 1)
    if act.code == "wrong":
        return _WRONG.format(0)
    held = shown[-back]
    return held.replace(" ", "-").upper().replace("0", "o").replace("1", "I") if act.code == "respelled" else held


def app_code_of(act: Act, secret: str, scene: Scene) -> str:
    """``now``, ``before``, ``next`` (one step), ``too old``, ``too new`` (two), ``old phone``, ``wrong``."""
    account = scene.accounts[act.who]
    if act.code == "malformed":
        return "12345"
    if act.code == "old phone":
        secret = account.secrets[-2] if len(account.secrets) > 1 else ""
    steps = {"before": -1, "next": 1, "too old": -2, "too new": 2}.get(act.code, 0)
    if act.code == "wrong" or not secret:
        shown = {app_code(secret, scene.now, step) for step in range(-2, 3)} if secret else set()
        return next(digits for digits in _DIGITS if digits not in shown)
    return app_code(secret, scene.now, steps)


def email_code(act: Act, scene: Scene) -> str:
    """``newest``, ``older`` (of this challenge), ``another challenge's``, ``wrong``."""
    account, mailed = scene.accounts[act.who], scene.mailed[act.who]
    challenge = account.challenges.get(_challenge(act, scene))
    own = [mailed[code.ip] for code in challenge.codes] if challenge else []
    if act.code == "malformed":
        return "12 34 5"
    if act.code == "another challenge's":
        own = [digits for digits in mailed.values() if digits not in own]
    back = 2 if act.code == "older" else 1
    if act.code == "wrong" or len(own) < back:
        return next(digits for digits in _DIGITS if digits not in mailed.values())
    return own[-back]


def _challenge(act: Act, scene: Scene) -> str:
    account = scene.accounts[act.who]

    def open_(challenge: Challenge) -> bool:
        return challenge.state(scene.now) == "OPEN"

    known = {token: open_(challenge) for token, challenge in account.challenges.items()}
    return _token("tfc_", "tfs_", act, account, known)


def _session(act: Act, scene: Scene) -> str:
    account = scene.accounts[act.who]
    known = {token: session.live(scene.now) for token, session in account.sessions.items()}
    return _token("tfs_", "tfc_", act, account, known)


def _token(kind: str, other: str, act: Act, account: Account, known: Mapping[str, bool]) -> str:
    token = _pick(act.on, known) if act.on >= 0 else ""
    body = urlsafe_b64encode(UUID(account.account_id).bytes + bytes(32)).decode()
    return token or (other if act.on == MALFORMED else kind) + body


def _pick(number: int, known: Mapping[str, bool]) -> str:
    """The open ones first, the newest first; "" if there is none."""
    ordered = sorted(reversed(list(known)), key=lambda key: not known[key])
    return ordered[number % len(ordered)] if ordered and number != UNKNOWN else ""
