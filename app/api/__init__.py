"""The JSON API: recognition over HTTP, on the dashboard's own port; see docs/api.md."""
