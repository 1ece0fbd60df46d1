// On the two pages that are only on the way: an answer goes on to its service by itself, and so does a browser
// whose frames have told every service of a sign-out.
document.querySelector("form[data-onward]")?.requestSubmit();
const onward = document.querySelector("a[data-onward]");
if (onward) addEventListener("load", () => location.replace(onward.href));
