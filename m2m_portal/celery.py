"""The Celery application; tasks live in the rooms, the schedule in settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")

app = Celery("m2m_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()  # embedded, retry() would otherwise dial amqp://localhost
app.autodiscover_tasks(["accounts", "audit", "backoffice", "provisioning"])
