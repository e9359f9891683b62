"""What the exhaustive exploration of the controller's step is made of; `proof.exploration` runs it."""
