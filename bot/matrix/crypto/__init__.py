"""Encrypted rooms. Only imported where vodozemac is installed: `bot.matrix.client` asks before it does.

store            the keys on disk
machine          nio's Olm machine, hardened against hostile input
hardening        error containment for it, and a check of the nio version
devices          other people's devices
receiving        the encryption parts of a sync: keys, withheld keys, encrypted events
replay_guard     detects messages that were decrypted before
sending          shares room keys and encrypts messages
key_maintenance  uploads our own keys, repairs broken sessions
engine           all of it together, for `bot.matrix`
"""
