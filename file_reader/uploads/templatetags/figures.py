"""How the admin writes numbers."""

from django import template

register = template.Library()


@register.filter
def figure(number: float, digits: int = 0) -> str:
    """With commas, and so many digits after the point."""
    return f"{number:,.{digits}f}"
