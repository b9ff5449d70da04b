import { computed, signal } from '@preact/signals';
import { answer, csrfToken, GET, POST, projectId, whenLoggedOut } from './api/client';
import type { Project, Role, User } from './api/types';

/** Who is logged in: nobody yet known, nobody, or somebody. */
export const user = signal<User | null | undefined>(undefined);
export const projects = signal<Project[]>([]);

export const project = computed(() => projects.value.find((one) => one.id === projectId.value));

const RANK: Record<Role, number> = { viewer: 0, admin: 1, owner: 2 };

/** Whether the user may do what takes this role. The server asks again. */
export function may(role: Role): boolean {
  return user.value ? RANK[user.value.role] >= RANK[role] : false;
}

interface Begun {
  user: { id: string; email: string; role?: string | null };
  csrf_token: string;
  projects?: Project[];
}

/** Takes up a session that a login, an invitation or a reload has brought. */
export function begin(begun: Begun) {
  csrfToken.value = begun.csrf_token;
  projects.value = begun.projects ?? [];
  const wanted = Number(localStorage.getItem('project'));
  const known = projects.value.find((one) => one.id === wanted) ?? projects.value[0];
  projectId.value = known?.id ?? null;
  user.value = { id: begun.user.id, email: begun.user.email, role: (begun.user.role ?? 'viewer') as Role };
}

export function choose(id: number) {
  localStorage.setItem('project', String(id));
  projectId.value = id;
}

export function renamed(changed: Project) {
  const others = projects.value.filter((one) => one.id !== changed.id);
  projects.value = [...others, changed].sort((a, b) => a.id - b.id);
}

/** Who is logged in after the page was loaded. */
export async function resume() {
  try {
    begin(await answer(GET('/api/auth/me')));
  } catch {
    user.value = null;
  }
}

export async function logIn(email: string, password: string) {
  begin(await answer(POST('/api/auth/login', { body: { email, password } })));
}

export async function logOut() {
  await answer(POST('/api/auth/logout')).catch(() => {});
  end();
}

function end() {
  csrfToken.value = null;
  user.value = null;
  projectId.value = null;
}

whenLoggedOut.call = end;
