"""An objective that takes its time for one design in four; for `objectives.add`."""

import time

import qnas


@qnas.objective("minimize", "1", cost="circuit")
def slow(design):
    digits = int(design.architecture.fingerprint[:8], 16)
    time.sleep(0.0 if digits % 4 else 0.5)
    return digits / 16**8
