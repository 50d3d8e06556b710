"""Encrypted rooms. Only imported where the `e2e` extra is installed: `bot.matrix.client` asks before it does.

store            the keys on disk
machine          nio's Olm machine, made fit for hostile input
hardening        the fence round it, and the check that this nio is the one it was made for
devices          whose devices there are
receiving        what a sync brings: keys, withheld keys, encrypted events
replay_guard     which messages were opened before: none counts twice
sending          room keys to whoever may read, and the ciphertext
key_maintenance  our own keys on the homeserver; sessions that broke
engine           all of it together, for `bot.matrix`
"""
