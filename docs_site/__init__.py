"""The documentation site: pages made from the repository when MkDocs builds it, and a check of the built pages."""
