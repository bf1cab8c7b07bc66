"""Funnelwright: a server-rendered, low-code CRM builder."""

__version__ = "0.1.0"
