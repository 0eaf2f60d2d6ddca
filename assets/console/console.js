// What waits is seen to move: pages work without this, they are loaded anew instead.
"use strict";

// A page that is being left for another one must not be loaded anew in between: that would call the person back.
let left = 0;
addEventListener("beforeunload", () => {
  left = Date.now();
});
const GOING = 30_000; // milliseconds for the other page to come: after a download there is none, and this one stays

// <div data-events="/tasks/ID/events">: the server sends the progress, and `end` when the page has something new.
for (const place of document.querySelectorAll("[data-events]")) {
  const bar = place.querySelector("progress");
  const words = place.querySelector("[data-words]");
  const source = new EventSource(place.dataset.events);
  source.addEventListener("progress", (event) => {
    const { done, of, phase } = JSON.parse(event.data);
    if (words) words.textContent = phase;
    if (!bar) return;
    if (of > 0) {
      bar.max = of;
      bar.value = done;
    } else {
      bar.removeAttribute("value");
    }
  });
  source.addEventListener("end", () => {
    source.close();
    setTimeout(() => location.reload(), Math.max(0, left + GOING - Date.now()));
  });
}

// <div class="drop"> around a file field: files may be dragged onto it.
for (const place of document.querySelectorAll(".drop")) {
  const field = place.querySelector("input[type=file]");
  const over = (is) => (event) => {
    event.preventDefault();
    place.classList.toggle("over", is);
  };
  place.addEventListener("dragover", over(true));
  place.addEventListener("dragleave", over(false));
  place.addEventListener("drop", (event) => {
    over(false)(event);
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// <input type="checkbox" data-all="NAME"> checks all fields of that name.
for (const box of document.querySelectorAll("[data-all]")) {
  box.addEventListener("change", () => {
    for (const one of document.getElementsByName(box.dataset.all)) one.checked = box.checked;
  });
}

// A form that was sent is not sent again by a second click.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
