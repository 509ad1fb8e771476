"""Scenes: end the other sessions, and read the notices that were sent by e-mail."""

from collections import Counter

from twofactor.v1.sign_in_service_pb2 import ListSessionsRequest, ListSessionsResponse, RevokeOtherSessionsRequest
from twofactor_try.demo.context import MAIL_SECONDS, Demo, expect

# Authenticator on (2) and off (1), backup code regenerated (1) and used (4): without the phone, in the race, after the
# race, and with the lost response. The scene with a provider adds its own.
EXPECTED_NOTICES = 8


def sign_out_elsewhere(demo: Demo) -> None:
    before = _list_sessions(demo)
    ids = [session.session_id for session in before.sessions]
    expect(before.current_session_id in ids, "the current session is not in the list")
    counts = Counter(session.client.ip_address for session in before.sessions)
    addresses = ", ".join(f"{address} ({count})" for address, count in sorted(counts.items()))
    demo.screen.success(f"The account has {len(ids)} sessions, opened from these IP addresses: {addresses}.")
    request = RevokeOtherSessionsRequest(session_token=demo.session_token)
    demo.rpc.call(demo.rpc.sign_in.RevokeOtherSessions, request)
    remaining = [session.session_id for session in _list_sessions(demo).sessions]
    expect(remaining == [before.current_session_id], "another session than the current one remains")
    demo.screen.success("Clicked “Sign out everywhere else”: only the current session remains.")


def read_notices(demo: Demo) -> None:
    if demo.mailbox is None:
        demo.screen.note("The mail folder is not available here. Look into the inbox yourself.")
        return
    notices = demo.mailbox.wait_for_notices(EXPECTED_NOTICES + demo.provider_notices, MAIL_SECONDS)
    kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(notices.items()))
    demo.screen.success(f"The owner received {notices.total()} notices: {kinds}.")
    text = "".join(demo.mailbox.text().lower().split())
    leaked = sum(code.replace(" ", "") in text for code in demo.shown_codes)
    expect(leaked == 0, f"{leaked} of the backup codes appear in e-mails")
    demo.screen.success(f"None of them contains any of the {len(demo.shown_codes)} backup codes of this demo.")


def _list_sessions(demo: Demo) -> ListSessionsResponse:
    return demo.rpc.call(demo.rpc.sign_in.ListSessions, ListSessionsRequest(session_token=demo.session_token))
