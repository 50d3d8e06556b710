"""What the running bot does with the events, commands, jobs and alarms that come in."""
