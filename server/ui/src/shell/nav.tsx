/** Where one can go. */
export const PLACES = [
  { href: '/', name: 'Now', key: 'n', icon: 'M4 13h4l2-7 4 13 2-6h4' },
  {
    href: '/live',
    name: 'Live',
    key: 'l',
    icon: 'M12 12h.01M8 8a6 6 0 0 0 0 8M16 8a6 6 0 0 1 0 8M5 5a10 10 0 0 0 0 14M19 5a10 10 0 0 1 0 14',
  },
  { href: '/explore', name: 'Explore', key: 'e', icon: 'M4 20V10m6 10V4m6 16v-7m4 7H3' },
  { href: '/dashboards', name: 'Dashboards', key: 'd', icon: 'M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z' },
  { href: '/people', name: 'People', key: 'p', icon: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-6 8-6s7 2 8 6' },
  { href: '/health', name: 'Health', key: 'h', icon: 'M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11z' },
  { href: '/settings', name: 'Settings', key: 's', icon: 'M4 7h10m4 0h2M4 17h2m4 0h10M14 4v6M6 14v6' },
] as const;

/** Which place an address is in. */
export function placeOf(path: string): string {
  const deeper = PLACES.filter(
    (place) => place.href !== '/' && (path === place.href || path.startsWith(`${place.href}/`)),
  );
  return deeper[0]?.href ?? '/';
}

export function Icon({ path }: { path: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
      <path
        d={path}
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
