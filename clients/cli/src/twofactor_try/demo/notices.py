"""What the owner was told by mail meanwhile."""

from twofactor_try.demo.walk import MAIL_SECONDS, Walk, ensure

# Authenticator on twice and off once; a regeneration; a use each by lost phone, winner, newest code, lost answer. A
# provider adds to that.
EXPECTED = 8


def read_the_mails(walk: Walk) -> None:
    if walk.mailbox is None:
        walk.screen.aside("The mail folder is not here to be read, so look into the inbox yourself.")
        return
    kinds = walk.mailbox.wait_for_notices(EXPECTED + walk.more_notices, MAIL_SECONDS)
    listed = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    walk.screen.done(f"{kinds.total()} notices came: {listed}.")
    text = "".join(walk.mailbox.text().lower().split())
    leaked = sum(code.replace(" ", "") in text for code in walk.shown)
    ensure(leaked == 0, f"{leaked} of the backup codes stand in mails")
    walk.screen.done(f"None of them holds any of the {len(walk.shown)} backup codes of this walk.")
