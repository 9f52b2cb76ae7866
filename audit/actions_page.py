"""The table of event kinds in docs/ledger.md, made from the list that the code goes by."""

from __future__ import annotations

from audit.actions import Action

BEGIN, END = "<!-- made by manage.py ledger_actions -->", "<!-- end -->"


def table() -> str:
    """Markdown, with the marks around it."""
    rows = [f"| `{action.value}` | {action.label} |" for action in Action]
    return "\n".join([BEGIN, "", "| kind | what happened |", "| --- | --- |", *rows, "", END])
