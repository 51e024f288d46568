"""A local disk's failures in plain words. In: OSError. Out: StoreError that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import StoreError

_FIXES = {
    errno.ENOSPC: "free space on this disk, then run again: nothing that was finished is lost",
    errno.EDQUOT: "raise the disk quota of this user, then run again",
    errno.EFBIG: "raise the file size limit of this user (ulimit -f) or use another file system, then run again",
    errno.EACCES: "give the user who runs this the right to read and write there",
    errno.EPERM: "give the user who runs this the right to read and write there",
    errno.EROFS: "mount the file system for writing, or name another folder",
    errno.ENAMETOOLONG: "use a shorter folder name: the whole path is too long for this file system",
    errno.ENOTDIR: "move the file that stands where a folder is needed",
    errno.EEXIST: "move the file that stands where a folder is needed",
    errno.EISDIR: "move the folder that stands where a file is needed",
    errno.ENOENT: "look whether the folder was moved or its disk unmounted",
    errno.EIO: "the disk fails: look at the system log",
    errno.ESTALE: "mount the network folder again",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def disk_error(what: str, error: OSError) -> StoreError:
    """The StoreError for an OSError that hit while doing `what`."""
    where = f" ({error.filename})" if error.filename else ""
    fix = _FIXES.get(error.errno or 0, "look at the file system, then run again")
    return StoreError(what, found=f"{error.strerror or error}{where}", fix=fix)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns an OSError inside the block into the StoreError "`what` failed"."""
    try:
        yield
    except OSError as error:
        raise disk_error(what, error) from error
