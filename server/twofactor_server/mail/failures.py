"""Why a mail was not delivered. Neither error's text holds an address, a code or a password."""


class PermanentDeliveryError(Exception):
    """This mail will never be accepted; another attempt is useless."""


class TemporaryDeliveryError(Exception):
    """The way out is not open now; a later attempt may succeed."""
