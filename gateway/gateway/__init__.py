"""The one public door to the services: routes, keys, sizes, time-outs, request ids. It knows no uploads and no rows."""
