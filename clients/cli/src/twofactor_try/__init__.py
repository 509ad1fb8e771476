"""`twofactor-try`: a command-line client of twofactor, with a demo and commands for all methods of the contract."""
