"""The admin: what happens to uploads, and what people may do about it.

What only the work engine may write is read-only here: an edit would lie about what happened.
"""

# Django looks for admins in this module only.
from uploads.admin import people, rows, sources, uploads, webhooks

__all__ = ["people", "rows", "sources", "uploads", "webhooks"]
