"""Of this folder, pytest runs the snippets of the Markdown pages, and nothing that is generated."""

collect_ignore_glob = ["conf.py", "_*/*", "auto_examples/*", "generated/*"]
