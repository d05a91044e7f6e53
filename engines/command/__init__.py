"""Any program on the worker's machine."""
