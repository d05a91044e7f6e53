"""What a child process that touches other people's files is given, and what it gives up.

A decoder that a file takes over finds no secret: the environment holds what is named here and nothing else,
and without privileges the process cannot look into the one that started it.
"""

import ctypes
import os
import sys
from collections.abc import Mapping

ENVIRONMENT_VARIABLE = "RENDER_ENVIRONMENT"
"""Names, separated by commas, of what an engine of somebody else's needs beside these."""
ALLOWED = frozenset(
    {
        "PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV",
        "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR", "HF_HOME",
        "XDG_CACHE_HOME", "EXTRA_ENGINES", "ENGINE_PRIVATE_RESULTS", "LOCALAI_URL", "LOCALAI_MODEL",
        "LOCALAI_MAX_AUDIO_S", "LOCALAI_TIMEOUT_S", "LOCALAI_CONCURRENT",
    }
)  # fmt: skip
ALLOWED_BEGINNINGS = (
    "LC_",
    "PYTHON",
    "OMP_",
    "OPENBLAS_",
    "MKL_",
    "CUDA_",
    "NVIDIA_",
    "OPENCV_",
    "COMMAND_",
)

_PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 38, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1 << 1
"""Root may go on writing into folders of others, such as a mounted volume."""


def child_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The part of the environment (this process's unless given) that such a child gets."""
    given = os.environ if environment is None else environment
    extra = {name.strip() for name in given.get(ENVIRONMENT_VARIABLE, "").split(",")}
    return {
        name: value
        for name, value in given.items()
        if name.upper() in ALLOWED or name.upper().startswith(ALLOWED_BEGINNINGS) or name in extra
    }


def give_up_privileges() -> None:
    """For the child, before it reads anything: not even root's child looks into other processes then.

    Linux only; elsewhere the environment alone protects.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice, for 64 bits
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "cannot read the capabilities of this process")
    kept = sets[1] & _CAP_DAC_OVERRIDE
    if libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept)):
        raise OSError(ctypes.get_errno(), "cannot give up the capabilities of this process")


def hide_from_children() -> None:
    """For the parent: processes of the same user can read neither its environment nor its memory.

    Linux only. Lasts until the process executes another program, and is inherited by its forks.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
