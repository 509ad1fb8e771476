"""The owner's phone: an authenticator app that remembers which of its codes it has shown."""

import time

import pyotp

STEP_SECONDS = 30

# So close to its end, a step may be over before the code is judged; then the one before it is out of the window.
_MARGIN_SECONDS = 5


class Phone:
    """Holds one secret. Its clock runs `clock_lead` seconds before this machine's."""

    def __init__(self, secret: str, clock_lead: float = 0.0) -> None:
        self._app = pyotp.TOTP(secret.replace(" ", ""))
        self._clock_lead = clock_lead
        self._last_shown = 0

    def fresh_code(self) -> str:
        """A code that has not been shown before and that the server accepts now.

        A step once accepted is never accepted again, and the window is the current step and one on either side
        (RFC 6238 section 5.2). Beginning with the oldest of them gives three codes without waiting; only a fourth
        one waits for its time.
        """
        while True:
            current, passed = divmod(time.time() + self._clock_lead, STEP_SECONDS)
            oldest = int(current) - (passed < STEP_SECONDS - _MARGIN_SECONDS)
            step = max(oldest, self._last_shown + 1)
            if step <= current + 1:
                self._last_shown = step
                return self._app.at(step * STEP_SECONDS)
            time.sleep(0.2)
