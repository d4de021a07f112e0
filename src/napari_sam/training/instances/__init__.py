"""What instance decoders learn: targets and loss of each kind, and which loss a model gets.

`head` is for the head of `cells_tiny`, `distances` for micro-sam's decoder, `teach` chooses.
"""
