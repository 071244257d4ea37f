// Dialogs, focus, announcements, the typed phrase, copy, the strip for a lost connection. Everything works without it.
(() => {
  const byId = (id) => document.getElementById(id);
  const modal = () => document.querySelector('#modal > dialog');
  const live = (text) => { if (text && byId('live').textContent !== text) byId('live').textContent = text; };
  let opener = null;
  document.addEventListener('htmx:beforeRequest', (event) => {
    if (event.target.getAttribute('hx-target') === '#modal' && !modal()?.open) opener = event.target;
  });
  document.addEventListener('htmx:afterSwap', (event) => {
    if (event.target.id === 'modal' && modal() && !modal().open) modal().showModal();
  });
  // The focus moves with what is replaced around it, and with a person who still waits for what they pressed.
  const moves = new WeakMap();
  document.addEventListener('htmx:beforeSwap', ({ detail: { xhr, target, requestConfig: { elt, triggeringEvent } } }) => {
    const at = document.activeElement;
    const pressed = triggeringEvent && !(triggeringEvent instanceof CustomEvent);
    const waits = pressed && (at === document.body || elt.contains(at) || modal()?.contains(elt));
    moves.set(xhr, waits ? {} : target.contains(at) && { preventScroll: true });
    if (!target.contains(elt) && target.matches('[hx-trigger*="every"]')) htmx.trigger(target, 'htmx:abort'); // its own poll
  });
  document.addEventListener('htmx:afterSettle', (event) => {
    const wanted = event.target.matches?.('[data-focus]') ? event.target : event.target.querySelector?.('[data-focus]');
    const how = moves.get(event.detail.xhr) ?? {};
    wanted?.removeAttribute('data-focus');
    if (wanted && how && modal()?.open && !modal().contains(wanted)) { opener = wanted; modal().close(); }
    if (wanted && how) wanted.focus(how);
    live((event.target.closest?.('[data-announce]') || event.target.querySelector?.('[data-announce]'))?.dataset.announce);
  });
  document.addEventListener('close', (event) => {
    if (event.target.parentElement?.id !== 'modal') return;
    event.target.remove();
    if (opener?.isConnected) opener.focus();
  }, true);
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-close-dialog]') && modal()) { event.preventDefault(); modal().close(); }
    const copy = event.target.closest('[data-copy]'); // without a clipboard, what is selected is copied by hand
    if (copy) getSelection().selectAllChildren(byId(copy.dataset.copy));
    if (copy) navigator.clipboard?.writeText(byId(copy.dataset.copy).textContent).then(() => live(copy.dataset.copied), () => {});
    const show = event.target.closest('[data-show]');
    if (show) show.setAttribute('aria-pressed', byId(show.dataset.show).type === 'password');
    if (show) byId(show.dataset.show).type = show.getAttribute('aria-pressed') === 'true' ? 'text' : 'password';
    document.querySelectorAll('details.menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener('input', ({ target }) => {
    const form = target.name === 'confirm' && target.closest('form[data-confirm-phrase]');
    if (form) form.querySelector('[data-confirm-submit]').disabled = target.value.trim() !== form.dataset.confirmPhrase;
  });
  // What a person asked for is on its way; what polls says nothing.
  const busy = (event, on) => {
    if (event.detail.target && event.detail.requestConfig?.triggeringEvent) event.detail.target.setAttribute('aria-busy', on);
  };
  document.addEventListener('htmx:beforeSend', (event) => busy(event, true));
  document.addEventListener('htmx:afterRequest', (event) => busy(event, false));
  const answered = ({ type, detail }) => type === 'htmx:afterOnLoad' && ![502, 504].includes(detail.xhr.status);
  const hear = (event) => { byId('offline').hidden = answered(event); };
  ['htmx:sendError', 'htmx:timeout', 'htmx:afterOnLoad'].forEach((name) => document.addEventListener(name, hear));
  document.documentElement.classList.add('js');
  document.querySelector('[data-focus]')?.focus();
})();
