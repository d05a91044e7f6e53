"""What a video costs."""

CREDITS_PER_IMAGE = 1
