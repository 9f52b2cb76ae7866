"""A scripted device of each case, registered with a running southbound."""

from tests.ledger_triggers import flush_may_empty_the_ledger  # noqa: F401 a fixture
from tests.southbound.conftest import make_device, operator, play  # noqa: F401 fixtures
