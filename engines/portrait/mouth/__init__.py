"""The mouth: measured in the photo, prepared once per portrait, drawn in every frame."""
