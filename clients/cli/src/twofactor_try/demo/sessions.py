"""Where the owner is signed in by the end of the walk, and signing out of all that but here."""

from collections import Counter

from twofactor_try.demo.walk import Walk, ensure


def sign_out_elsewhere(walk: Walk) -> None:
    found = walk.contract.list_sessions(walk.session_token)
    ids = [one.session_id for one in found.sessions]
    ensure(found.current_session_id in ids, "the session that asks is not in the list")
    places = Counter(one.client.ip_address for one in found.sessions)
    listed = ", ".join(f"{place} ({count})" for place, count in sorted(places.items()))
    walk.screen.done(f"The account's page lists {len(ids)} sessions, by where they were opened: {listed}.")
    walk.contract.revoke_other_sessions(walk.session_token)
    left = [one.session_id for one in walk.contract.list_sessions(walk.session_token).sessions]
    ensure(left == [found.current_session_id], "another session than this one is left")
    walk.screen.done("Clicked “Sign out everywhere else”: only this one is left.")
