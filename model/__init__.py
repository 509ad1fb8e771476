"""A model of the two-factor protocol, and an explorer that visits every state the model can reach.

The transactions in ``sign_in``, ``backup_codes``, ``authenticator`` and ``account`` follow the server's flows statement
by statement; ``moves`` adds what surrounds them: clients, networks, crashes. The server does not use this package.
docs/model.md describes the model and its limits.
"""
