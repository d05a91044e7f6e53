"""Programs that make weights, measure engines and draw the pictures of the documents. Not for production."""
