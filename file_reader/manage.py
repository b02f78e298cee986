#!/usr/bin/env python
"""Django's command line for file_reader: `manage.py worker`, `manage.py migrate`, …"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from service_kit.environment import SettingError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reader_config.settings")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, SettingError) as error:
        sys.exit(f"file_reader: {error}")
