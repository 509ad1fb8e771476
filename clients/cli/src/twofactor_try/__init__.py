"""The owner's side of twofactor: a walk through a backup code's life, and its single steps by hand.

A client of the contract (`twofactor.v1`) and nothing else: whatever it can do, any caller can.
"""
