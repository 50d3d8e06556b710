"""What operators need: health checks, logs, the lock of the data folder, and care for the encryption keys."""
