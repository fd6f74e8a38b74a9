"""Other frameworks doing the same job on the same topic, each as it advises."""
