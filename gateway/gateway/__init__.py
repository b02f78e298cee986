"""The one public door to the services: routes, keys, sizes, time-outs, request ids, and nothing of what is inside."""
