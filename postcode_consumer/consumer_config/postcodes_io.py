"""Settings for asking the public postcodes.io. No Django: gunicorn's own process reads them."""

from service_kit.environment import SettingError, env_str

PUBLIC_POSTCODES_IO = "https://api.postcodes.io"


def env_contact() -> str:
    """`POSTCODES_IO_CONTACT`: what can be part of a User-Agent. Raises SettingError."""
    value = env_str("POSTCODES_IO_CONTACT", "")
    if not value.isascii() or not value.isprintable():
        raise SettingError(
            f"POSTCODES_IO_CONTACT={value!r} is not understood. Accepted: an e-mail address or the address of a page."
        )
    return value
