"""The only room that imports nio: the homeserver's side of the house."""
