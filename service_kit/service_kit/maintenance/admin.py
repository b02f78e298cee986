"""What the last maintenance did, to look at."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from service_kit.admin import ReadOnlyAdmin
from service_kit.maintenance.models import MaintenanceRun


@admin.register(MaintenanceRun)
class MaintenanceRunAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "began_at", "ended_at", "failed"]
    fields = ["began_at", "ended_at", "jobs"]

    @admin.display(description="failed", empty_value="")
    def failed(self, run: MaintenanceRun) -> str:
        return ", ".join(job["job"] for job in run.report if job["error"])

    def jobs(self, run: MaintenanceRun) -> SafeString:
        head = format_html_join("", "<th>{}</th>", ((name,) for name in ("job", "done", "seconds", "error")))
        lines = ((job["job"], job["done"], job["seconds"], job["error"]) for job in run.report)
        rows = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
        return format_html("<table><tr>{}</tr>{}</table>", head, rows)
