"""The ASGI application: pages and REST over HTTP, live fragments over WebSocket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")

from django.core.asgi import get_asgi_application  # noqa: E402

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

import devices.routing  # noqa: E402
import selfservice.routing  # noqa: E402
import support.routing  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(
                URLRouter(
                    [
                        *devices.routing.websocket_urlpatterns,
                        *selfservice.routing.websocket_urlpatterns,
                        *support.routing.websocket_urlpatterns,
                    ]
                )
            )
        ),
    }
)
