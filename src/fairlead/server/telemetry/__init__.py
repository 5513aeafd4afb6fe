"""What the gateway tells of itself: figures for Prometheus, and traces for OpenTelemetry where they are wanted."""
