// What the page asks the server, and how it is told no.

export class Refused extends Error {
  constructor(status, answer) {
    super(typeof answer.detail === "string" ? answer.detail : "the server takes this for no decision");
    // Nothing can be decided here until the page is loaded anew, or the disk has room.
    Object.assign(this, { status, lasting: answer.reload || status === 401 || status === 507 });
  }
}

// The server has ended, or cannot be reached.
export class Unanswered extends Error {}

// The answer to a question, or to what is sent with it.
export async function ask(path, body) {
  const sent = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, sent).catch(() => {
    throw new Unanswered();
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}
