"""An interrupt (Ctrl-C) that cuts nothing in two."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Hold an interrupt back until the end of the block; what this gives says whether there was one.

    Else it could come in the midst of anything, even of what undoes a setting of PyTorch's, which then stayed for good.
    A second one is not held back. Where somebody else handles interrupts, or in another thread, nothing is changed.
    """
    came: list[int] = []

    def hold(*_: object) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(1)

    ours = threading.current_thread() is threading.main_thread()
    ours = ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, hold)
    try:
        yield lambda: bool(came)
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt
