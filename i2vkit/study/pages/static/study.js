"use strict";
// Shows one question after the other. The server knows where a rater is, so this page remembers nothing.

const at = (id) => document.getElementById(id);
const here = location.pathname.replace(/\/$/, "");
const ASK = { preference: "Which video looks more real?", rating: "What is your impression of this video?" };
const WAITS = [1, 2, 4, 8, 15]; // seconds before another attempt

let question = null; // the open one, as the server gave it
let number = 0;
let watched = false;
let busy = true;
let round = 0; // tells the playback of this question from that of the one before

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Asks until the server answers: a lost connection must not lose an answer, and it stores each only once.
async function ask(path, options) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(here + path, options);
      if (response.status < 500) return [response.ok, await response.json()];
    } catch { /* the network, or a server that is being restarted */ }
    at("hint").textContent = "No connection. Your answers are kept, and this page tries again.";
    await pause(WAITS[Math.min(attempt, WAITS.length - 1)]);
  }
}

function show([ok, state]) {
  if (!ok) {
    at("hint").textContent = `Something went wrong: ${state.error}. Please load this page again.`;
    return;
  }
  at("bar").style.width = `${(100 * (state.number - 1)) / state.total}%`;
  if (!state.question) return finish(state);
  ({ question, number } = state);
  at("place").textContent = `Question ${state.number} of ${state.total}`;
  at("ask").textContent = ASK[question.kind];
  for (const kind of Object.keys(ASK)) at(kind).hidden = kind !== question.kind;
  at("reference-figure").hidden = !question.media.reference;
  document.querySelectorAll(".choice").forEach((button) => button.classList.remove("picked"));
  at("aspects").reset();
  busy = watched = false;
  refresh();
  play();
}

function finish(state) {
  question = null;
  round += 1;
  at("stage").hidden = true;
  at("end").hidden = false;
  at("code").textContent = state.code;
  at("place").textContent = "";
}

function players() {
  const own = question.kind === "rating" ? { left: "single" } : { left: "left", right: "right" };
  const all = { ...own, reference: "reference" };
  return Object.entries(all).filter(([place]) => question.media[place]).map(([place, id]) => [at(id), place]);
}

// Plays all videos of a question from their beginnings, again and again, in step.
async function play() {
  const mine = (round += 1);
  const shown = players();
  at("hint").textContent = "Loading …";
  await Promise.all(shown.map(([video, place]) => new Promise((done) => {
    video.oncanplaythrough = done;
    video.onerror = done;
    video.src = `../media/${question.media[place]}`;
    video.load();
  })));
  while (mine === round) {
    refresh();
    await Promise.all(shown.map(([video]) => once(video)));
    if (mine !== round) return;
    watched = true;
    refresh();
    await pause(0.6);
  }
}

// Plays one video to its end. A browser that refuses to play by itself shows controls.
function once(video) {
  return new Promise((done) => {
    const stop = setTimeout(done, 1000 * ((Number.isFinite(video.duration) ? video.duration : 0) + 3));
    video.onended = () => { clearTimeout(stop); done(); };
    video.currentTime = 0;
    video.play().catch(() => { video.controls = true; });
  });
}

function rated() {
  const fields = new FormData(at("aspects"));
  const names = [...document.querySelectorAll("fieldset")].map((field) => field.dataset.aspect);
  return names.every((name) => fields.has(name)) ? Object.fromEntries(fields) : null;
}

function refresh() {
  const ready = watched && !busy;
  at("stage").dataset.ready = ready ? number : ""; // the number of the question that can be answered
  document.querySelectorAll(".choice").forEach((button) => { button.disabled = !ready; });
  document.querySelector("#aspects button").disabled = !(ready && rated());
  const typing = question && question.kind === "preference" && matchMedia("(hover: hover)").matches;
  const keys = typing ? " You can also press ← or →." : "";
  if (!busy) at("hint").textContent = watched ? `Take your time.${keys}` : "Please watch to the end.";
}

async function send(answer) {
  if (busy || !watched || !question) return;
  busy = true; // a second click finds this
  refresh();
  const body = JSON.stringify({ question: question.token, answer });
  show(await ask("/answer", { method: "POST", headers: { "content-type": "application/json" }, body }));
}

document.querySelectorAll(".choice").forEach((button) => {
  button.addEventListener("click", () => {
    if (busy || !watched) return;
    button.classList.add("picked");
    send({ preferred: button.dataset.value });
  });
});
document.addEventListener("keydown", (event) => {
  const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  if (!side || event.repeat || !question || question.kind !== "preference") return;
  document.querySelector(`.choice[data-value=${side}]`).click();
});
at("aspects").addEventListener("change", refresh);
at("aspects").addEventListener("submit", (event) => {
  event.preventDefault();
  const answer = rated();
  if (answer) send(answer);
});

ask("/question").then(show);
