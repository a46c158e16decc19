const show = (id, text) => {
  document.getElementById(id).textContent = text;
};

async function poll() {
  try {
    const answer = await fetch("/api/monitor");
    show("monitor", await answer.text());
  } catch (error) {
    show("monitor", String(error));
  }
  setTimeout(poll, 1000);
}

document.getElementById("submit").addEventListener("click", async () => {
  const answer = await fetch("/api/jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: "sample" }),
  });
  show("job", await answer.text());
});

poll();
