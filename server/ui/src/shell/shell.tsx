import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { projectId } from '../api/client';
import { Button, Select } from '../parts/form';
import { choose, logOut, projects, user } from '../session';
import { theme, toggleTheme } from '../theme';
import { Help, helpIsOpen, useKeys } from './keys';
import { Icon, PLACES, placeOf } from './nav';
import { Toasts } from './toasts';

/** What is around every page of somebody who is logged in. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { path, route } = useLocation();
  useKeys(
    useMemo(
      () => [
        { keys: '?', does: 'Show these keys', run: () => (helpIsOpen.value = true) },
        ...PLACES.map((place) => ({
          keys: `g ${place.key}`,
          does: `Go to ${place.name}`,
          run: () => route(place.href),
        })),
        { keys: '/', does: 'Search on this page', run: focusSearch },
        { keys: 't', does: 'Switch between light and dark', run: toggleTheme },
      ],
      [route],
    ),
  );
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="side">
        <a class="brand" href="/" aria-label="Trailmark">
          <img src="/mark.svg" alt="" width="24" height="24" /> <span>Trailmark</span>
        </a>
        {projects.value.length > 0 && (
          <Select
            label="Project"
            bare
            value={String(projectId.value)}
            choices={projects.value.map((one) => [String(one.id), one.name] as const)}
            onValue={(id) => choose(Number(id))}
          />
        )}
        <nav class="places" aria-label="Pages">
          {PLACES.map((place) => (
            <a key={place.href} href={place.href} aria-current={placeOf(path) === place.href ? 'page' : undefined}>
              <Icon path={place.icon} />
              <span>{place.name}</span>
            </a>
          ))}
        </nav>
        <Foot />
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Help />
      <Toasts />
    </div>
  );
}

function Foot() {
  const isDark = theme.value === 'dark';
  return (
    <div class="foot">
      <span class="muted who" title={user.value?.email}>
        {user.value?.email}
      </span>
      <div class="row">
        <Button kind="quiet" onClick={() => void logOut()}>
          Sign out
        </Button>
        <Button kind="quiet" aria-label={isDark ? 'Light colours' : 'Dark colours'} onClick={toggleTheme}>
          {isDark ? '☀' : '☾'}
        </Button>
        <Button kind="quiet" aria-label="Keys" onClick={() => (helpIsOpen.value = true)}>
          ?
        </Button>
      </div>
    </div>
  );
}

function focusSearch() {
  document.querySelector<HTMLInputElement>('#main input[type=search]')?.focus();
}
