"""The walk: an owner's backup code from its first showing to its end, against a running server."""
