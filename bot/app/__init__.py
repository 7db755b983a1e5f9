"""Composition: from settings and secrets to connected clients and a running application."""
