"""Platform Integrations: the Hugging Face token, and what was downloaded with it."""

from hfreg.ui import checkpoints, integrations, licence_policy, session, widgets

widgets.title("Platform Integrations", "Where models come from, and what the platform may use to get them.")
integrations.hugging_face(session.registry())
licence_policy.card(session.registry())
checkpoints.card(session.registry())
