"""A believable company for trying the product: people, records and months of history (part 8).

Everything is made through the services that people use, under a fake clock: the one move function included.
What a pack's fields and stages are called stands in the pack's ``demo.json``, never here.
"""
