"""Neutralises and recognises text, for everything that reads or writes foreign words."""
