"""Pictures in, an encoded and labelled video out."""
