"""The sentences of refusals by subject, one file each; `audit/refusals.py` is the way in."""
