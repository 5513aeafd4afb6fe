"""The meaning of the four dialects: canonical options, texts and shapes. No network, no storage."""
