"""The causes by subject, one file each; `audit/causes.py` is the way in."""
