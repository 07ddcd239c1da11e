"""Model: one registered model, its versions, history, review and use."""

from hfreg.ui import model_page

model_page.draw()
