"""What DESIGN section 10 asks: `make bench` reports ratios and asserts no time."""
