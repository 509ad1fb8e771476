"""An authenticator app that never returns the same code twice."""

import time

import pyotp

STEP_SECONDS = 30

# With less than this left in the current step, it may end before the server verifies the code. The code of the step
# before it would then be rejected.
_MARGIN_SECONDS = 5


class TotpApp:
    """Holds one secret. `clock_offset` is added to this machine's time, in seconds."""

    def __init__(self, secret: str, clock_offset: float = 0.0) -> None:
        self._totp = pyotp.TOTP(secret.replace(" ", ""))
        self._clock_offset = clock_offset
        self._last_step = 0

    def next_code(self) -> str:
        """A new code that the server accepts now.

        The server accepts the current step and one on either side, and no step twice (RFC 6238 section 5.2). Starting
        with the oldest of them gives three codes without waiting; a fourth one waits for the next step.
        """
        while True:
            current, elapsed = divmod(time.time() + self._clock_offset, STEP_SECONDS)
            oldest = int(current) - (elapsed < STEP_SECONDS - _MARGIN_SECONDS)
            step = max(oldest, self._last_step + 1)
            if step <= current + 1:
                self._last_step = step
                return self._totp.at(step * STEP_SECONDS)
            time.sleep(0.2)
