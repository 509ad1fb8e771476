"""The single steps, one command each; tokens are remembered from one to the next."""
