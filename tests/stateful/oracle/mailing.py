"""The budgets of e-mail codes, and SendEmailCode's one effect."""

from datetime import datetime

from tests.stateful.oracle.answers import Refusal
from tests.stateful.oracle.moments import frees_at, network
from tests.stateful.oracle.state import HOUR, Account, MailedCode

PER_CHALLENGE = 3
PER_ACCOUNT = 10
PER_NETWORK = 5


def next_send(account: Account, token: str, prefix: str, now: datetime) -> datetime | None:
    """From when on the challenge may be mailed another code; None if it has none left."""
    challenge = account.challenges[token]
    if len(challenge.codes) >= PER_CHALLENGE:
        return None
    sent = [code for other in account.challenges.values() for code in other.codes if code.created > now - HOUR]
    sent.sort(key=lambda code: code.created)
    of_network = [code.created for code in sent if network(code.ip) == prefix]
    frees = (frees_at([code.created for code in sent], PER_ACCOUNT), frees_at(of_network, PER_NETWORK))
    return max([now, *(moment for moment in frees if moment)])


def send(account: Account, token: str, request_id: str, ip: str, now: datetime) -> Account:
    """With another code mailed for the challenge; over a budget: DELIVERY_THROTTLED."""
    challenge, due = account.challenges[token], next_send(account, token, network(ip), now)
    if due is None or due > now:
        raise Refusal("DELIVERY_THROTTLED", retry_after=(due or challenge.expires) - now)
    code = MailedCode(ip, now, request_id)
    return (
        account.with_challenge(token, codes=(*challenge.codes, code)).mailed("sign-in-code").audited("send_email_code")
    )
