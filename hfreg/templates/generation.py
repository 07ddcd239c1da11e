"""Templates that write: continuing a text, and a chat whose answer is streamed.

Of a prompt that leaves no room for an answer the beginning is cut, and the call warns of it.
"""

from __future__ import annotations

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.templates.template import NEW_TOKENS, TEMPERATURE, TEXT, Template

ROOM = """
# Prompt and answer share what the model reads at once.
longest = getattr(client.model.config, "max_position_embeddings", None) or client.tokenizer.model_max_length
wanted = max(1, min(int(max_length), longest - 1))
"""

TEXT_GENERATION = Definition(
    alias="text_generator",
    name="Text generator",
    description="Continues a text. Small models make things up: use it for drafts, not for facts. Of a text that "
    "leaves no room for the continuation the beginning is cut, with a warning.",
    model_type="Text Generation",
    output_type="String",
    arguments=(TEXT, NEW_TOKENS, TEMPERATURE),
    examples=({"text": "Once upon a time", "temperature": 0},),
    scoring_logic=f"""# Arguments: text, max_length, temperature are automatically available
import warnings
from transformers import pipeline

client = pipeline(
    "text-generation",
    model="HuggingFaceTB/SmolLM2-135M",
)

if text is None:
    return None
{ROOM}places = client.tokenizer(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
if len(places) + wanted > longest:
    kept = longest - wanted
    warnings.warn(f"Read the last {{kept:,}} of {{len(places):,}} tokens, to leave room for {{wanted:,}} new ones.")
    text = text[places[-kept][0]:]

choice = {{"do_sample": True, "temperature": temperature}} if temperature else {{"do_sample": False}}
answer = client(text, max_new_tokens=wanted, return_full_text=False, **choice)
return answer[0]["generated_text"]
""",
)

CHAT = Definition(
    alias="chat_model",
    name="Chat model",
    description="Answers a message as the model's chat template asks for; the answer comes word by word. It makes "
    "things up: check what matters. Of a message that leaves no room for an answer the beginning is cut, and it warns.",
    model_type="Text Generation",
    output_type="String",
    arguments=(
        TEXT,
        Argument("system", "String", optional=True, usage="What the model is told to be; some know no such message"),
        Argument("max_length", "Numerical", optional=True, default="256", usage="Maximum number of new tokens"),
        TEMPERATURE,
    ),
    examples=({"text": "Name three colours of the rainbow.", "temperature": 0},),
    scoring_logic=f"""# Arguments: text, system, max_length, temperature are automatically available
import threading
import warnings
from transformers import TextIteratorStreamer, pipeline

client = pipeline(
    "text-generation",
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
)

if text is None:
    return None

messages = [{{"role": "user", "content": text}}]
if system:
    messages.insert(0, {{"role": "system", "content": system}})
prompt = client.tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
)
{ROOM}count = prompt["input_ids"].shape[1]
if count + wanted > longest:
    kept = longest - wanted
    warnings.warn(f"Read the last {{kept:,}} of {{count:,}} tokens, to leave room for {{wanted:,}} new ones.")
    prompt = {{name: part[:, -kept:] for name, part in prompt.items()}}
prompt = {{name: part.to(client.model.device) for name, part in prompt.items()}}

streamer = TextIteratorStreamer(client.tokenizer, skip_prompt=True, skip_special_tokens=True)
stopped, failed = threading.Event(), []
choice = {{"do_sample": True, "temperature": temperature}} if temperature else {{"do_sample": False}}


def stop(tokens, scores, **more):
    return stopped.is_set()


def generate():
    try:
        client.model.generate(
            **prompt, **choice, max_new_tokens=wanted, streamer=streamer, stopping_criteria=[stop]
        )
    except Exception as error:
        failed.append(error)
        streamer.end()


writer = threading.Thread(target=generate)
writer.start()
try:
    for piece in streamer:
        if piece:
            yield piece
finally:  # also when the call is stopped
    stopped.set()
    writer.join()
if failed:
    raise failed[0]
""",
)

WRITING = (
    Template("text-generation", "Text generation", "Continues a text.", TEXT_GENERATION, "text-generation"),
    Template("chat", "Chat", "Answers a message, word by word.", CHAT, "text-generation"),
)
