// On the one page whose form is not the person's own: an answer on its way to a service goes on by itself.
document.querySelector("form[data-onward]")?.requestSubmit();
