import type { Inside } from '../inside';

/** What a page captures by itself. */
export function startPage(_client: Inside): void {}
