import trailmark from 'trailmark-web';

trailmark.init('tm_pk_of_a_vite_app', { apiHost: location.origin, flushIntervalMs: 200 });
trailmark.track('app_started', { bundler: 'vite' });
document.querySelector('#buy')?.addEventListener('click', () => trailmark.track('bought'));
Object.assign(window, { trailmark });
