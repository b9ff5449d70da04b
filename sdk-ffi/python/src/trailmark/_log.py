"""Where the package writes what somebody should know."""

import logging

#: The logger `trailmark`.
log = logging.getLogger("trailmark")
