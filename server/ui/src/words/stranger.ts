import { type Meaning, ofCode } from './refusals';

/** What is known of a request that belongs to no project. */
export interface Unknown {
  method: string;
  code?: string | null | undefined;
  key_hint?: string | null | undefined;
  origin?: string | null | undefined;
}

/** Why nobody knows which project a request belongs to, and what to do. */
export function ofStranger(request: Unknown): Meaning {
  if (request.method === 'OPTIONS') {
    const page = request.origin ? `A web page of ${request.origin}` : 'A web page';
    return {
      means: `${page} asked whether it may send events, and may not.`,
      hint: 'Add its origin to “cors_origins” in the server’s configuration.',
    };
  }
  const { means, hint } = ofCode(request.code ?? '');
  if (request.code === 'unknown_key' && request.key_hint) {
    return {
      means: `It came with a key that ends in ${request.key_hint}, which is unknown here or was revoked.`,
      hint,
    };
  }
  return { means, hint };
}
