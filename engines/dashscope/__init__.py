"""Alibaba Cloud Model Studio (DashScope)."""
