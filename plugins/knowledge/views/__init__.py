"""Loads entries and renders them as text for people."""
