"""`python -m twofactor_try` is `twofactor-try`."""

import sys

from twofactor_try.cli import main

sys.exit(main())
