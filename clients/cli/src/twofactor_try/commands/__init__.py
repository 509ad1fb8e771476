"""The commands, by subject. Each module's `register` adds its commands to the command line."""
