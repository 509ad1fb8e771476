"""``python -m twofactor_server``."""

import sys

from twofactor_server.cli import main

sys.exit(main())
