"""Numbers as the language of the page writes them."""

from django.utils.formats import number_format


def number(value: float, digits: int = 0) -> str:
    """1,234,567.9, rounded to so many digits."""
    return number_format(f"{value:.{digits}f}", use_l10n=True, force_grouping=True)
