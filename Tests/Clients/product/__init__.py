"""The real product through the official SDK, feature by feature."""
