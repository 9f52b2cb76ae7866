"""What Django's admin finds: every module of the back office that registers lists there."""

from backoffice import (  # noqa: F401 they register what they define
    bulk_jobs,
    devices,
    end_devices,
    ledger,
    object_definitions,
    packages,
    people,
    provisioning,
    reachability,
    records,
    retention,
    sms,
)
