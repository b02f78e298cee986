"""What gunicorn serves."""

import os

from service_kit.wsgi import forgiving_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consumer_config.settings")
application = forgiving_application()
