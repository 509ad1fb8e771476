"""Mail to account owners, and its two transports: SMTP and a folder of ``.eml`` files."""

from pathlib import Path

from twofactor_server.mail.transports import Transport


def transport_from(url: str | None, folder: Path) -> Transport:
    """SMTP if there is a URL; otherwise ``.eml`` files in ``folder``, which is created if it does not exist.

    Raises ValueError, without quoting the URL, if the URL is invalid, and OSError if the folder cannot be created.
    """
    # Imported on demand: aiosmtplib takes some 50 ms.
    if url is None:
        from twofactor_server.mail.folder import MailFolder

        return MailFolder(folder)
    from twofactor_server.mail.smtp import SmtpTransport

    return SmtpTransport(url)
