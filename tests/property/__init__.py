"""Laws that hold for generated inputs."""
