"""Finding the face that talks and measuring it."""
