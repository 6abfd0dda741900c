"""Tests against a real Apache Kafka broker and real Kafka Connect workers."""
