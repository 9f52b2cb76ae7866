"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    return {"local_mail_page": settings.LOCAL_MAIL_PAGE, "embedded": not settings.PRODUCTION}
