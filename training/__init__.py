"""Training of the starter models, from text written for this project.

Covers: the text (`data/`), the samplers that turn it into examples, tokenizers, loops, cards, and the evaluation.
Does not cover: serving. Nothing in `hfreg/` imports this package.
"""
