"""The subscriber's pages: each asks a selector, calls a service, and renders a template."""
