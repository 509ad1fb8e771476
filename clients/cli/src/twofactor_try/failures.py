"""What ends a command early, each with its exit status and one sentence for the person at the terminal."""


class CommandError(Exception):
    """The text is a whole sentence. `exit_status` is what the command ends with."""

    exit_status = 1


class CannotStartError(CommandError):
    """Something that the command needs is not there: the server, a terminal to ask at, a remembered token."""

    exit_status = 2
