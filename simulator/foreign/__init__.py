"""A device's conversation on a CoAP stack that is not ours: aiocoap, over UDP without security."""
