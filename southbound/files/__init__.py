"""The file server: packages that devices fetch block by block, by aiocoap behind a gate of our own."""
