"""A language model behind any OpenAI-compatible chat endpoint: vLLM, Ollama, llama.cpp, a hosted one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deidlab.labels import LabelSet
from deidlab.systems.chunking import chunks
from deidlab.systems.consent import require_consent
from deidlab.systems.endpoint import Endpoint, secret
from deidlab.systems.metering import Usage
from deidlab.systems.prompts import Message, few_shots, opening, shown_labels
from deidlab.systems.quotes import align, entities
from deidlab.systems.remote import RemoteSystem
from deidlab.types import ConfigError, DataError, Losses, Span


@dataclass
class Chat:
    """Asks for the identifiers of a stretch of text.

    An answer that was cut off (`finish_reason: length`) is asked for again in two halves, down to `least` characters;
    one that is no list of entities is asked for `asks` times. Raises `DataError` when that is of no help.
    """

    endpoint: Endpoint
    opening: Sequence[Message] = field(repr=False)
    labels: Sequence[str]
    request: Mapping[str, Any]
    usage: Usage
    asks: int = 2
    least: int = 200

    def __call__(self, text: str) -> tuple[list[Span], Losses]:
        answer, cut_off = self._answer(text)
        if not cut_off:
            return align(text, answer, self.labels)
        if len(text) <= self.least:
            raise DataError(
                f"the answer for {len(text)} characters is cut off (finish_reason length): raise max_tokens"
            )
        found: list[Span] = []
        lost = Losses("count")
        lost.count("cut_off")
        for start, end in chunks(text, (len(text) + 1) // 2):
            spans, told = self(text[start:end])
            found += [Span(span.start + start, span.end + start, span.label) for span in spans]
            lost.counts.update(told.counts)
        return found, lost

    def _answer(self, text: str) -> tuple[list[Any], bool]:
        """The entities of an answer, and whether it was cut off before it ended."""
        body = {**self.request, "messages": [*self.opening, {"role": "user", "content": text}]}
        for ask in range(self.asks):
            choice = self._choice(body, len(text))
            if choice.get("finish_reason") == "length":
                return [], True
            try:
                message = choice.get("message")
                content = message.get("content") if isinstance(message, Mapping) else None
                if not isinstance(content, str):
                    raise DataError("the answer has no text (a refusal?)")
                return entities(content), False
            except DataError:
                if ask + 1 == self.asks:
                    raise
        raise AssertionError("asks is at least 1")

    def _choice(self, body: Mapping[str, Any], characters: int) -> Mapping[str, Any]:
        """The first choice of a chat completion; counts what it took."""
        answer = self.endpoint.post("/chat/completions", body)
        if not isinstance(answer, Mapping):
            raise DataError("the service answered with something that is no chat completion")
        self.usage.add(characters, tokens_of(answer.get("usage")), states_tokens=True)
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            raise DataError("the service answered with something that is no chat completion (no choices)")
        return choices[0]


def tokens_of(usage: Any) -> tuple[int, int] | None:
    """Tokens of the question and of the answer; None when the endpoint does not say."""
    if not isinstance(usage, Mapping):
        return None
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (counts[0], counts[1]) if isinstance(counts[0], int) and isinstance(counts[1], int) else None


def load(
    base_url: str,
    model: str | None,
    prompt: str,
    labels: LabelSet,
    send_phi: bool = False,
    api_key_variable: str | None = None,
    shots: int = 0,
    shots_from: str | None = None,
    chunk_characters: int = 6000,
    request: Mapping[str, Any] | None = None,
    concurrency: int = 4,
    per_minute: float | None = None,
    timeout: float = 120.0,
    attempts: int = 5,
    pause: float = 1.0,
    asks: int = 2,
    on_error: str = "raise",
) -> RemoteSystem:
    """A chat endpoint as a system that finds the types of `labels`.

    `request` is added to the body of every request (temperature, max_tokens, response_format, ...). Raises
    `ConfigError` before anything is sent unless `send_phi` is true, and for settings that cannot work.
    """
    require_consent(send_phi, "llm", base_url)
    if not model:
        raise ConfigError("system=llm needs system.model=NAME, as the endpoint calls it")
    if min(chunk_characters, concurrency, asks) < 1 or shots < 0:
        raise ConfigError("system.chunk_characters, concurrency and asks must be at least 1, shots at least 0")
    key = secret(api_key_variable, "llm")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    endpoint = Endpoint(base_url, headers, timeout, attempts, pause, per_minute=per_minute)
    asked = shown_labels(labels)
    usage = Usage()
    told = opening(prompt, asked, few_shots(shots, shots_from, labels))
    chat = Chat(endpoint, told, asked, {"model": model, **(request or {})}, usage, asks)
    same = {label: label for label in asked}
    losses = Losses(on_error)  # type: ignore[arg-type]
    return RemoteSystem(
        f"llm {model}", labels, chat, same, chunk_characters, concurrency=concurrency, losses=losses, usage=usage
    )
