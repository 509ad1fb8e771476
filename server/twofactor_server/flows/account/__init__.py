"""The account: its creation, passwords, address, identities, recovery from unauthorised changes, and its end."""
