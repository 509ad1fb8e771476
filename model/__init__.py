"""A model of the protocol of docs/model.md, and an explorer that visits every state it can get into.

The programs in ``backup_codes``, ``completion``, ``owner_calls`` and ``sign_in`` follow the server's flows statement
by statement; everything around them (networks, crashes, impatient people) is played by ``moves``. Nothing here is
used by the server. ``python -m model`` explores the protocol, then takes its mechanisms out, one after the other.
"""
