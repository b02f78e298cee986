"""Logins to the admin: who types too many wrong passwords is locked out for a while.

It is a Django app: each service has its table of failed logins.
"""
