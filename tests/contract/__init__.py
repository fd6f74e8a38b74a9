"""What the parts promise each other on the wire."""
