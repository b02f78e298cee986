"""The admin: what happens to uploads, and what people may do about it.

What only the work engine may write is read-only here: an edit would lie about what happened.
"""

from django.contrib import admin

# Django looks for admins in this module only.
from uploads.admin import people, rows, uploads, webhooks

__all__ = ["people", "rows", "uploads", "webhooks"]

admin.site.site_header = "Postcodes for coordinate files"
admin.site.site_title = "Postcodes"
admin.site.index_title = "Uploads, rows and keys"
admin.site.site_url = None  # there is no other page to go to
