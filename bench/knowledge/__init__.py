"""`faro bench`: how quick the index is, and how well it finds. Nothing here is used by a running bot."""
