"""Bootstrap profiles: what an operator gives its devices, where they find our servers, and what is observed of them."""
