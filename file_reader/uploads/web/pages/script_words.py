"""What scripts say on the pages; `words.js` puts values in the place of {names}."""

from django.utils.translation import gettext_lazy as lazy

SCRIPT_WORDS = {
    "empty": lazy("The selected file is empty."),
    "too_large": lazy("The selected file must be smaller than {most}; it has {size}."),
    "afterwards": lazy("Afterwards: {names}"),
    "will_be_sent": lazy("{size} will be sent. You can close the page once it is."),
    "sending": lazy("Sending: {done} of {all} MB"),
    "sending_left": lazy("Sending: {done} of {all} MB, about {seconds} s left"),
    "sent": lazy("Sent. The server looks at the file"),
    "send_broke": lazy("The connection broke"),
    "send_again": lazy("Nothing was started. Sending the same file again is safe."),
    "try_again": lazy("Try again"),
    "followed": lazy("Updated every second; you can close this page."),
    "polled": lazy("Updated every two seconds; you can close this page."),
    "broken": lazy("The connection is broken. This page tries again by itself."),
    "copied": lazy("Copied"),
    "zoom_in": lazy("Zoom in"),
    "zoom_out": lazy("Zoom out"),
}
