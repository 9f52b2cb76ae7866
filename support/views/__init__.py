"""The support desk's pages: each asks a selector and renders a template; this room writes nothing."""
