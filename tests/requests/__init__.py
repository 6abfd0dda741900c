"""What statements cost: a small organisation behind a mock transport, and full copies of it."""
