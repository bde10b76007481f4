"""What the tests of runs share."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def runs_draw_nothing(blank_pictures):
    """See `blank_pictures`; what a picture shows is tested where it is drawn."""
