"""`faro bench`: measures the speed and the relevance of search. A running bot uses nothing of it."""
