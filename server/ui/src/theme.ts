import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const kept = localStorage.getItem('theme');

/** Light, dark, or as the system says. */
export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto');

effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  localStorage.setItem('theme', theme.value);
});

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** What is shown now. */
export const isDark = () => (theme.value === 'auto' ? systemIsDark.matches : theme.value === 'dark');

export function toggleTheme() {
  theme.value = isDark() ? 'light' : 'dark';
}
