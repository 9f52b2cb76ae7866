"""The door to what travels as links: the format itself, a client's object list, Bootstrap-Discover."""

from lwm2m.core_links import Link, encode_links, parse_links
from lwm2m.discovery import DiscoveredInstances, SecurityInstance, ServerInstance, parse_bootstrap_discover
from lwm2m.format_choice import choose_format, format_for, format_for_nothing
from lwm2m.object_links import ObjectLink, ObjectLinks, parse_object_links

__all__ = [
    "DiscoveredInstances",
    "Link",
    "ObjectLink",
    "ObjectLinks",
    "SecurityInstance",
    "ServerInstance",
    "choose_format",
    "encode_links",
    "format_for",
    "format_for_nothing",
    "parse_bootstrap_discover",
    "parse_links",
    "parse_object_links",
]
