"""Python reads this when it starts with this folder on PYTHONPATH: the process's clock is wrong from then on.

All that tells the time is shifted, in every thread; what measures durations is not. libfaketime would not do:
with it Python's own waiting fails, which is until a time of the monotonic clock.
"""

import datetime
import os

import time_machine

if "WRONG_CLOCK_S" in os.environ:
    ahead = datetime.timedelta(seconds=float(os.environ["WRONG_CLOCK_S"]))
    time_machine.travel(datetime.datetime.now(datetime.UTC) + ahead, tick=True).start()
