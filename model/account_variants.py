"""The protocol with something taken out, where the account itself changes: what must break."""

from dataclasses import replace

from model import account_scenarios
from model.mechanisms import Mechanism as M
from model.mechanisms import Promise as P
from model.variant import Variant, few

ACCOUNT_BROKEN = (
    Variant(
        (M.VERSION_REREAD,),
        P.DEAD,
        few(account_scenarios.SIGN_IN),
        "A sign-in starts with a password that was verified a moment ago; nobody looks whether it still is the "
        "password.",
    ),
    Variant(
        (M.ROW_LOCK,),
        P.WAY_IN,
        replace(few(account_scenarios.LAST_WAY, 0, 1), fine=True),
        "Rows are read without FOR NO KEY UPDATE. Each of two tabs sees the other's identity still linked, and unlinks "
        "its own: no guarded write stands behind, because they write different rows.",
        frozenset((P.WAY_IN,)),
    ),
    Variant(
        (M.REREAD,),
        P.WAY_IN,
        few(account_scenarios.LAST_WAY, 0, 1),
        "The rows are locked, but the second transaction believes what the first one counted: another way in, which "
        "may be gone by now.",
    ),
    Variant(
        (M.LINK_REREAD,),
        P.DEAD,
        few(account_scenarios.LAST_WAY, 0, 2),
        "A sign-in starts with an identity that was linked a moment ago, when its provider answered; nobody looks "
        "whether it still is.",
    ),
    Variant(
        (M.VOID_CHALLENGES,),
        P.DEAD,
        few(account_scenarios.ADDRESS, 1, 2),
        "The address changes, and a sign-in that was started for the old one goes on: whoever holds the old mailbox "
        "is still on the way in.",
    ),
)
