"""Hypothesis for a busy machine: bounded by examples and not by time, and the same run every time."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "lwm2m", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lwm2m")
