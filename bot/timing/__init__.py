"""The only folder that imports apscheduler, and the only one that looks at the clock or sleeps."""
