"""Property tests without surprises: the same examples every time, and no clock."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "smpp", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("smpp")
