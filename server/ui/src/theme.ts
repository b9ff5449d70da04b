import { computed, effect, signal } from '@preact/signals';

type Theme = 'light' | 'dark';

const kept = localStorage.getItem('theme');

/** What was chosen here; without a choice, the system's. */
const chosen = signal<Theme | null>(kept === 'light' || kept === 'dark' ? kept : null);

const system = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(system.matches);
system.addEventListener('change', ({ matches }) => {
  systemIsDark.value = matches;
});

/** What is shown. The styles go by `data-theme`, so that their colours stand in one place. */
export const theme = computed<Theme>(() => chosen.value ?? (systemIsDark.value ? 'dark' : 'light'));

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function toggleTheme() {
  chosen.value = theme.value === 'dark' ? 'light' : 'dark';
  localStorage.setItem('theme', chosen.value);
}
