"""JSON documents to domain objects and back: grammar, lint, compiler, versions."""
