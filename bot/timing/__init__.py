"""Alarms, the job worker and the clock. The only package that imports apscheduler, reads the clock or sleeps."""
