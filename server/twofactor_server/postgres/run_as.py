"""Become another program, as another user, that does not outlive its parent.

Run by path, in an interpreter of its own: `run_as.py PARENT UID GID SIGNAL PROGRAM ARGUMENT…`; UID and GID
are -1 to stay who we are. Linux forgets the parent-death signal when the user changes, so it can be asked for
only after that. `subprocess` could do so in a `preexec_fn`, which is unsafe in a process with threads. The
interpreter is started by the old user, for the new one may be unable to reach it.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change user, tie our life to PARENT's by SIGNAL (Linux only), and become PROGRAM."""
    parent, uid, gid, death_signal = (int(word) for word in sys.argv[1:5])
    # Loaded while Python's own files can still be read.
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != -1:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # A parent that died before that call sends nothing any more.
        if os.getppid() != parent:
            sys.exit("The process that wanted this program is gone.")
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606


if __name__ == "__main__":
    main()
