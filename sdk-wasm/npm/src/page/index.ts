import type { Inside } from '../inside';

/** What a page captures by itself. */
export function startPage(_client: Inside): void {}
export function captureException(_client: Inside, _error: unknown, _properties?: object): void {}
export function captureRequest(_client: Inside, _request: object, _properties?: object): void {}
