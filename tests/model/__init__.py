"""The platform's services against a model of what they promise, over sequences that Hypothesis makes up."""
