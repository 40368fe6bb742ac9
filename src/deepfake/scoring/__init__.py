"""Answers for whoever has a video: whose faces are in it, what a detector says of each, and what that is worth."""
