"""Beat rings only tasks that exist."""

from django.conf import settings

from m2m_portal.celery import app


def test_every_scheduled_task_is_known() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
