"""Command families of the `funnelwright` command line, one module a family."""
