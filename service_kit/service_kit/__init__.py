"""What both Django services, and in part the gateway, have word for word. It knows no upload, no postcode, no model."""
