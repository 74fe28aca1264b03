// What the page asks the server, and how it is told no.

export class Refused extends Error {
  constructor(status, answer) {
    super(typeof answer.detail === "string" ? answer.detail : "the server takes this for no decision");
    Object.assign(this, { status, reload: answer.reload || status === 401 });
  }
}

export async function ask(path, body) {
  const sent = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, sent);
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}
