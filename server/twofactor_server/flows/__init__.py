"""What the product does: one file per factor or subject, one coroutine per method of the contract."""
