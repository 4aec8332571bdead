"""The study of the defaults as a page and a picture."""
