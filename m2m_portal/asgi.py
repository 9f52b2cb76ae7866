"""The ASGI application: pages and REST over HTTP, live fragments over WebSocket."""

import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter

import backoffice.routing
import selfservice.routing
import support.routing
from m2m_portal.origins import SameOrigin

# WhiteNoise (6.12) has no asynchronous middleware: Django reads its files whole, in a thread, and warns of that. They
# are small and browsers keep them, so this is what we want. Ends when WhiteNoise speaks ASGI.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": SameOrigin(
            AuthMiddlewareStack(
                URLRouter(
                    [
                        *backoffice.routing.websocket_urlpatterns,
                        *selfservice.routing.websocket_urlpatterns,
                        *support.routing.websocket_urlpatterns,
                    ]
                )
            )
        ),
    }
)
