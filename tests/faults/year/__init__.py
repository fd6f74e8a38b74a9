"""The scripted year through the real service: `make scripted-year`."""
