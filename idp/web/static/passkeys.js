// Passkeys: what only a script can do. Nothing shows before the browser is known to have them; each part stands alone.
(() => {
  "use strict";
  const Credential = window.PublicKeyCredential;
  if (!Credential || !navigator.credentials) return;
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const read = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const write = (raw) => btoa(String.fromCharCode(...new Uint8Array(raw)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => list?.map((one) => ({ ...one, id: read(one.id) }));
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

  // What the server asks, as the browser wants it; and what came of it, as the server reads it.
  const asked = async (form) => {
    const body = new URLSearchParams({ form: form.elements.form.value });
    const answer = await fetch(`${form.getAttribute("action")}/passkey`, { method: "POST", body });
    if (!answer.ok) throw new Error("no options");
    const options = await answer.json();
    options.challenge = read(options.challenge);
    if (options.user) options.user.id = read(options.user.id);
    for (const list of ["allowCredentials", "excludeCredentials"]) options[list] = described(options[list]);
    return options;
  };
  const told = (found) => {
    const response = {};
    for (const name of names) if (found.response[name]) response[name] = write(found.response[name]);
    const transports = found.response.getTransports?.();
    if (transports) response.transports = transports;
    return JSON.stringify({ id: found.id, rawId: write(found.rawId), type: found.type, response });
  };
  const send = (form, found) => {
    form.elements.credential.value = found ? told(found) : "";
    form.submit();
  };

  // In the list of a field: waits beside it, is asked anew before the challenge runs out, ends when a form is sent.
  let waiting = null;
  const stop = () => { waiting?.abort(); waiting = null; };
  const wait = async (form) => {
    const mine = waiting = new AbortController();
    const again = setTimeout(() => { mine.abort(); if (waiting === mine) wait(form); }, 240000);
    try {
      const found = await navigator.credentials.get({
        publicKey: await asked(form), mediation: "conditional", signal: mine.signal,
      });
      if (found) send(form, found);
    } catch { clearTimeout(again); /* the fields and the button are there */ }
  };

  all("form[data-ceremony]", (form) => {
    let busy = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      stop();
      try {
        const options = await asked(form);
        send(form, await navigator.credentials[form.dataset.ceremony]({ publicKey: options }));
      } catch { send(form, null); }
    });
    addEventListener("pageshow", (event) => { if (event.persisted) busy = false; });
  });
  all("[data-passkeys]", (element) => { element.hidden = false; });

  const field = document.querySelector("input[autocomplete~=webauthn]");
  const form = document.querySelector("form[data-ceremony=get]");
  if (field && form) {
    all("form", (one) => one.addEventListener("submit", stop));
    Credential.isConditionalMediationAvailable?.().then((yes) => { if (yes) wait(form); }).catch(() => {});
  }

  // A page before the offer of one: whether this device can make it.
  all("[data-offer]", (input) => {
    Credential.isUserVerifyingPlatformAuthenticatorAvailable?.()
      .then((yes) => { input.value = yes ? "yes" : ""; }).catch(() => {});
  });

  // Password stores hear which passkeys still count, and what the account is called now.
  all("[data-signals]", (element) => {
    for (const [name, signal] of Object.entries(JSON.parse(element.dataset.signals)))
      Credential[name]?.(signal).catch(() => {});
  });
})();
