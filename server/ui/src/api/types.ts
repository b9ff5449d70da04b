import type { components } from './schema';

/** A type of `/openapi.json` by its name. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

export type Role = 'owner' | 'admin' | 'viewer';
export type Project = { id: number; name: string };
export type User = { id: string; email: string; role: Role };
