"""The admin of webhooks: what they were sent, and what they are signed with. `uploads.admin` takes it in."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from service_kit.admin import LargeTableAdmin, ReadOnlyAdmin
from uploads.models import Delivery, WebhookSecret
from uploads.webhook_secrets import replace_secret
from uploads.work.webhooks import send_again


@admin.register(Delivery)
class DeliveryAdmin(LargeTableAdmin):
    list_display = ["public_id", "upload", "event", "shown_state", "attempts", "last", "created_at", "due_at"]
    list_filter = ["event", "created_at"]
    search_fields = ["public_id", "upload__public_id", "upload__webhook_url"]
    search_help_text = "The id of a delivery or of an upload, a part of the address."
    ordering = ["-id"]
    list_select_related = ["upload"]
    actions = ["again"]

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries, though nobody writes one by hand."""
        return request.user.has_perm("uploads.change_delivery")

    @admin.display(description="state")
    def shown_state(self, delivery: Delivery) -> str:
        return delivery.state.replace("_", " ")

    @admin.display(description="last answer", empty_value="")
    def last(self, delivery: Delivery) -> str | None:
        if not delivery.answers:
            return None
        answer = delivery.answers[-1]
        return " ".join(str(part) for part in (answer["status"], answer["detail"]) if part)

    @admin.action(description="Send again", permissions=["operate"])
    def again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        for delivery in deliveries.select_related("upload"):
            send_again(delivery)
        self.message_user(request, "A worker sends them in a moment.", messages.SUCCESS)


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "made_at"]
    list_select_related = ["owner"]
    fields = ["owner", "secret", "made_at"]
    actions = ["replace"]

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may change secrets, though nobody writes one by hand."""
        return request.user.has_perm("uploads.change_webhooksecret")

    @admin.action(description="Make new ones", permissions=["operate"])
    def replace(self, request: HttpRequest, found: QuerySet[WebhookSecret]) -> None:
        for owner_id in list(found.values_list("owner", flat=True)):
            replace_secret(owner_id)
        self.message_user(request, "From now on, nothing is signed with the old ones.", messages.SUCCESS)
