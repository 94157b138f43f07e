"""Everything that pytest needs to know of this project is in two modules of the harness."""

pytest_plugins = ["harness.plugin", "harness.fixtures"]
