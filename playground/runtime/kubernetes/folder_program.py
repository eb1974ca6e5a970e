"""The program behind a shared folder, run by `shared_folder` in a pod that mounts the volume; it imports nothing of ours.

Arguments: what to do (`entries`, `read`, `write`, `remove`), a path, and how many bytes the folder may hold. Each step of a
path is opened relative to the one before and no link is followed, so that a node that swaps a folder for a link meanwhile
gains nothing. A file comes in as pieces behind their length (4 bytes, big-endian), and a piece of length 0 completes it:
one that breaks off leaves nothing. What went wrong is told by the exit status.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import stat
import sys
from contextlib import suppress

NOT_FOUND, INVALID, NO_ROOM, DENIED, BROKEN_OFF, FAILED = 10, 11, 12, 13, 14, 15
DRAFT = b".slipway-upload-"
_ROOT = os.environ.get("SLIPWAY_FOLDER_ROOT", "/shared")
_MOST_ENTRIES = 10_000  # more help nobody on a page
_DEEPEST = 64
_PIECE_BYTES = 256 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STATUSES = {
    errno.ENOENT: NOT_FOUND,
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG), INVALID),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), NO_ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY), DENIED),
}


def main(task: str, path: str, limit: int) -> None:
    """Do one thing."""
    names = _steps(path)
    if task == "entries":
        _entries(names)
    elif task == "read":
        _read(names)
    elif task == "write":
        _write(names, limit)
    else:
        _remove(names)


def _steps(path: str) -> list[bytes]:
    names = [os.fsencode(name) for name in path.split("/")] if path else []
    if len(names) > _DEEPEST or any(name in {b"", b".", b".."} for name in names):
        raise OSError(errno.ENOTDIR, "no path inside the folder")
    return names


def _opened(names: list[bytes], *, makes: bool = False) -> int:
    folder = os.open(_ROOT, _FOLDER)
    for name in names:
        if makes:
            with suppress(FileExistsError):
                os.mkdir(name, 0o775, dir_fd=folder)
        inner = os.open(name, _FOLDER, dir_fd=folder)
        os.close(folder)
        folder = inner
    return folder


def _named(names: list[bytes]) -> tuple[list[bytes], bytes]:
    if not names:
        raise OSError(errno.EISDIR, "the folder itself")
    return names[:-1], names[-1]


def _entries(names: list[bytes]) -> None:
    """Write a line of JSON for each file and folder; links and other special files are left out."""
    found = []
    with os.scandir(_opened(names)) as entries:
        for entry in entries:
            with suppress(OSError, UnicodeEncodeError):  # it has gone meanwhile, or its name is no text
                about = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(about.st_mode)
                is_shown = not entry.name.encode().startswith(DRAFT) and (is_folder or stat.S_ISREG(about.st_mode))
                if is_shown:
                    found.append((not is_folder, entry.name, 0 if is_folder else about.st_size, about.st_mtime))
    for is_file, name, size, modified_at in sorted(found)[:_MOST_ENTRIES]:
        sys.stdout.write(json.dumps([name, size, modified_at, not is_file]) + "\n")


def _read(names: list[bytes]) -> None:
    way, name = _named(names)
    # Non-blocking: a pipe would wait for its writer.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=_opened(way))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EISDIR, "no file")
    with os.fdopen(descriptor, "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer, _PIECE_BYTES)


def _write(names: list[bytes], limit: int) -> None:
    way, name = _named(names)
    folder = _opened(way, makes=True)
    draft = DRAFT + secrets.token_hex(8).encode()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o664, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _receive(file.fileno(), limit - _size())
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(draft, dir_fd=folder)
        raise


def _receive(descriptor: int, room: int) -> None:
    source = sys.stdin.buffer
    while True:
        head = source.read(4)
        length = int.from_bytes(head, "big")
        if len(head) == 4 and length == 0:  # noqa: PLR2004 - bytes of a length
            return
        room -= length
        if room < 0:
            raise OSError(errno.ENOSPC, "the folder is full")
        piece = memoryview(source.read(length))
        if not head or len(piece) < length:
            raise EOFError
        while piece:
            piece = piece[os.write(descriptor, piece) :]


def _remove(names: list[bytes]) -> None:
    way, name = _named(names)
    folder = _opened(way)
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def _size() -> int:
    total = 0
    for folder, _, files in os.walk(_ROOT):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - thousands, as bare as can be
    return total


if __name__ == "__main__":
    os.umask(0o002)  # the nodes are other users of the same group
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        sys.stdout.flush()
    except EOFError:
        sys.exit(BROKEN_OFF)
    except OSError as problem:
        sys.exit(_STATUSES.get(problem.errno or 0, FAILED))
