"""Tidying up: one command of both services, whose jobs each of them names in MAINTENANCE_JOBS."""
