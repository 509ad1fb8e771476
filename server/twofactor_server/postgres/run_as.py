"""Replaces itself by another program, which runs as another user and ends with its parent.

Run by path, in an interpreter of its own: ``run_as.py PARENT UID GID SIGNAL PROGRAM ARGUMENT…``. With -1 as UID and
GID the user stays the same. Linux clears the parent-death signal when the user changes, so it must be set afterwards.
``subprocess`` could do that in ``preexec_fn``, which is unsafe in a process with threads. The interpreter is started as
the old user, because the new one may be unable to read it.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change the user, set SIGNAL as the parent-death signal (Linux only), and execute PROGRAM."""
    parent, uid, gid, death_signal = (int(word) for word in sys.argv[1:5])
    # Loaded first: the new user may be unable to read Python's files.
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != -1:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # A parent that died before prctl sends no signal.
        if os.getppid() != parent:
            sys.exit("The parent process has ended.")
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606


if __name__ == "__main__":
    main()
