"""Beat rings only tasks that exist."""

from django.conf import settings

from m2m_portal.celery import app


def test_every_scheduled_task_is_known() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_what_beat_rings_for_stands_in_no_queue_of_bells() -> None:
    """50,000 bells must not let a sweep expire, nor tidying of an hour a bell wait."""
    bells = settings.CELERY_TASK_DEFAULT_QUEUE
    queues = {
        entry["task"]: app.amqp.router.route({}, entry["task"])["queue"].name
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
    }
    assert set(queues.values()) == {f"{bells}.beat", f"{bells}.long"}
    assert queues["provisioning.climb"] == queues["provisioning.sweep"] == f"{bells}.beat"
    assert queues["provisioning.prune_records"] == f"{bells}.long"
    for name in ("provisioning.advance", "provisioning.device_heard", "provisioning.command_settled"):
        assert app.amqp.router.route({}, name)["queue"].name == bells


def test_a_worker_that_is_told_nothing_serves_all_queues_and_each_has_a_unit() -> None:
    served = set(app.amqp.queues)
    assert served == {queue.name for queue in settings.CELERY_TASK_QUEUES}
    units = [unit.read_text() for unit in (settings.BASE_DIR / "deploy" / "systemd").glob("*worker*.service")]
    assert sorted(unit.split("--queues ")[1].split()[0] for unit in units) == [
        "portal",
        "portal.beat",
        "portal.long",
    ]
