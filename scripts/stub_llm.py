"""A chat endpoint without a language model: `python scripts/stub_llm.py [PORT]`, for tables and tests of `system=llm`.

It speaks the protocol of OpenAI's chat completions and answers by our own rules (`deidlab.rules`), so that prompts,
quotes, tokens and costs can be seen to work where no endpoint is. What it finds says nothing of any language model, and
its tokens are characters by four. It listens on this machine only and keeps nothing.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deidlab.rules.finding import find


def completion(text: str) -> dict:
    """The answer for a note: every distinct identifier once, as an endpoint is asked to quote it."""
    quotes = dict.fromkeys((text[span.start : span.end], span.label) for span in find(text))
    content = json.dumps({"entities": [{"text": quote, "label": label} for quote, label in quotes]})
    return {
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": len(text) // 4, "completion_tokens": len(content) // 4},
    }


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(completion(asked["messages"][-1]["content"])).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: what is asked are notes."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8765), Stub) as server:
        print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
        server.serve_forever()
