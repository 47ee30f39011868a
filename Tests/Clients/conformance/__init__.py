"""What a Model Context Protocol server owes its clients, checked revision by revision (see ../mcp_conformance.py)."""
