// Nothing here is needed for any step. Each part finds its own elements; a fault in one stops no other.
(() => {
  "use strict";
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const part = (act) => { try { act(); } catch { /* the page works without this part */ } };
  const polite = () => {
    const region = document.createElement("div");
    region.className = "hidden";
    region.setAttribute("role", "status");
    document.querySelector("main").append(region);
    return region;
  };

  // 1. A rejected form: the summary is read first.
  part(() => document.getElementById("summary")?.focus());

  // 2. A second press of the same button sends nothing. A page that comes back from the cache is fresh again.
  part(() => all("form[data-sending]", (form) => {
    let sent = null;
    form.addEventListener("submit", (event) => {
      if (sent) { event.preventDefault(); return; }
      const button = event.submitter;
      sent = { button, text: button?.textContent };
      if (button) setTimeout(() => { button.textContent = form.dataset.sending; });
    });
    addEventListener("pageshow", (event) => {
      if (!event.persisted || !sent) return;
      if (sent.button) sent.button.textContent = sent.text;
      sent = null;
    });
  }));

  // A page that answered a form is asked for anew by Back and by refresh, instead of being sent again.
  part(() => { if (document.querySelector("form[data-sending]")) history.replaceState(null, "", location.href); });

  // 3. Show and hide what is typed as password; never sent as anything but a password field.
  part(() => all("[data-show]", (place) => {
    const form = place.closest("form");
    const fields = form.querySelectorAll("input[type=password]");
    const said = polite();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    const turn = (shown) => {
      fields.forEach((field) => { field.type = shown ? "text" : "password"; });
      button.setAttribute("aria-pressed", shown);
      button.textContent = shown ? place.dataset.hide : place.dataset.show;
    };
    button.addEventListener("click", () => {
      const shown = fields[0].type === "password";
      turn(shown);
      said.textContent = shown ? place.dataset.shown : place.dataset.hidden;
    });
    form.addEventListener("submit", () => turn(false));
    turn(false);
    place.append(button);
  }));

  // 4. Caps Lock, said below the field that has it.
  part(() => all("input[data-caps]", (field) => {
    const note = document.createElement("p");
    note.className = "caps";
    note.setAttribute("role", "status");
    field.after(note);
    const look = (event) => {
      const text = event.type !== "blur" && event.getModifierState?.("CapsLock") ? field.dataset.caps : "";
      if (note.textContent !== text) note.textContent = text;
    };
    ["keydown", "keyup", "blur"].forEach((name) => field.addEventListener(name, look));
  }));

  // 5. The wait before a new code, counted down in silence; one polite word when it is over.
  part(() => all("[data-wait]", (line) => {
    const end = Date.now() + line.dataset.wait * 1000;
    const said = polite();
    const timer = setInterval(() => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left > 0) {
        line.textContent = left === 1 ? line.dataset.last : line.dataset.left.replace("{n}", left);
        return;
      }
      clearInterval(timer);
      line.textContent = line.dataset.now;
      said.textContent = line.dataset.now;
    }, 1000);
  }));

  // 6. "for 10 minutes" becomes the person's own clock.
  part(() => all("time[data-until]", (time) => {
    const clock = new Date(time.dateTime).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    time.textContent = time.dataset.until.replace("{time}", document.documentElement.lang === "nb" ? clock.replace(":", ".") : clock);
  }));

  // 7. The code from a text message, where the browser hands it over. It fills an empty field and sends nothing.
  part(() => all("input[data-webotp]", (field) => {
    if (!("OTPCredential" in window)) return;
    const stop = new AbortController();
    field.form.addEventListener("submit", () => stop.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal })
      .then((found) => { if (found?.code && !field.value) field.value = found.code; })
      .catch(() => {});
  }));

  // 8. Copy and print, where there is something to keep.
  part(() => all("[data-copy], [data-print]", (place) => {
    const { copy, done, print, word } = place.dataset;
    if (copy && !navigator.clipboard) return;
    const said = polite();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second";
    button.textContent = print ?? word;
    button.addEventListener("click", async () => {
      if (print) { window.print(); return; }
      const found = [...document.querySelectorAll(`#${copy} code, code#${copy}`)];
      await navigator.clipboard.writeText(found.map((one) => one.textContent).join("\n"));
      said.textContent = done;
    });
    place.append(button);
  }));

  // 9. Waiting for an eID: ask every other second, show the newest code, and go on when it is over.
  part(() => all("[data-eid]", (place) => {
    const hint = place.querySelector("[data-hint]");
    const code = place.querySelector("[data-qr]");
    const drawing = (svg) => document.adoptNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement);
    const ask = async () => {
      try {
        const now = await (await fetch(place.dataset.eid, { cache: "no-store" })).json();
        if (now.over) {
          hint.textContent = place.dataset.done;
          location.replace(place.dataset.next);
          return;
        }
        if (code) code.replaceChildren(...(now.qr ? [drawing(now.qr)] : []));
        if (hint.textContent !== now.hint) hint.textContent = now.hint;
      } catch { /* asked again below */ }
      setTimeout(ask, 2000);
    };
    setTimeout(ask, 1000);
  }));
})();
