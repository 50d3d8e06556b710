"""The only folder that imports nio: everything that talks to the homeserver."""
